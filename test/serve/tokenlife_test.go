package serve_test

import (
	"net/http"
	"testing"

	"github.com/drydockhq/drydock/test/serve"
)

// What is taken from a token is taken at once, also from those who have an
// access token already; what one password loses, the other keeps.
func TestTokensEndAtOnce(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{})
	a := s.Azure()
	a.CreateRegistry("contoso")
	m := matrix{Server: s, t: t, http: s.HTTP()}
	m.digest = push(t, s, s.LoginServer("contoso")+"/team/app:v1")
	maker := tokenMaker{a, t}
	passwords := maker.scoped("contoso", "robot", "repositories/team/*/content/read")
	body := `{"properties":{"scopeMapId":"` + maker.scopeMap("contoso", "robot-scope-map") + `"`
	who := func(password string) asker { return asker{name: "robot", user: "robot", password: password} }
	pull := deeds()[1]
	pulls := func(step, bearer string, works bool) {
		t.Helper()
		if status := m.do(asker{}, bearer, pull, "contoso", "team/app"); (status == http.StatusOK) != works {
			t.Errorf("%s: a pull is %d", step, status)
		}
	}
	signsIn := func(step, password string, works bool) string {
		t.Helper()
		bearer, ok := m.token(who(password), "contoso", "repository:team/app:pull")
		if ok != works {
			t.Errorf("%s: signing in is %v", step, ok)
		}
		return bearer
	}
	first, second := signsIn("new", passwords[0], true), signsIn("new", passwords[1], true)
	pulls("new", first, true)

	maker.put("contoso/tokens/robot", body+`,"status":"disabled"}}`)
	pulls("disabled", first, false)
	signsIn("disabled", passwords[0], false)
	maker.put("contoso/tokens/robot", body+`,"status":"enabled"}}`)
	pulls("enabled again", first, true)

	fresh := maker.generate("contoso", "robot", `,"name":"password1"`)
	pulls("with the replaced password", first, false)
	signsIn("with the replaced password", passwords[0], false)
	pulls("with the other password", second, true)
	signsIn("with the other password", passwords[1], true)
	signsIn("with the new password", fresh[0], true)

	maker.put("contoso/tokens/robot", body+`,"credentials":{"passwords":[{"name":"password1"}]}}}`)
	pulls("with the deleted password", second, false)
	signsIn("with the deleted password", passwords[1], false)
	first = signsIn("with the one that is left", fresh[0], true)

	maker.actions("contoso", "robot-scope-map", "repositories/team/*/metadata/read")
	pulls("when the scope map allows less", first, false)
	maker.actions("contoso", "robot-scope-map", "repositories/team/*/content/read")
	pulls("when the scope map allows it again", first, true)
	if status, answer := a.Delete("/registries/contoso/scopeMaps/robot-scope-map"); status != http.StatusOK {
		t.Fatal(status, answer)
	}
	pulls("when the scope map is deleted", first, false)
	signsIn("when the scope map is deleted", fresh[0], true)
	maker.actions("contoso", "robot-scope-map", "repositories/team/*/content/read")
	pulls("when there is another scope map of the name", first, false)
	maker.put("contoso/tokens/robot", body+`}}`)
	pulls("with that scope map", first, true)

	for _, path := range []string{"/registries/contoso/tokens/robot", "/registries/contoso"} {
		if status, answer := a.Delete(path); status != http.StatusOK {
			t.Fatal(status, answer)
		}
		if path == "/registries/contoso" {
			a.CreateRegistry("contoso")
			push(t, s, s.LoginServer("contoso")+"/team/app:v1")
		}
		pulls("deleted with "+path, first, false)
		signsIn("deleted with "+path, fresh[0], false)
		again := maker.scoped("contoso", "robot", "repositories/team/*/content/read")
		pulls("made anew after "+path, first, false)
		signsIn("made anew after "+path, fresh[0], false)
		fresh[0] = again[0]
		first = signsIn("made anew after "+path, again[0], true)
		pulls("made anew after "+path, first, true)
	}
}

// A registry lets everybody pull only while its owner wants that.
func TestAnonymousPulls(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{})
	a := s.Azure()
	a.CreateRegistry("contoso")
	m := matrix{Server: s, t: t, http: s.HTTP()}
	m.digest = push(t, s, s.LoginServer("contoso")+"/app:v1")
	maker := tokenMaker{a, t}
	open := func(yes string) {
		t.Helper()
		maker.put("contoso", `{"location":"here","sku":{"name":"Premium"},"properties":{"anonymousPullEnabled":`+yes+`}}`)
	}
	const scope = "repository:app:pull,push registry:catalog:*"
	if _, ok := m.token(asker{}, "contoso", scope); ok {
		t.Error("a new registry lets everybody in")
	}
	open("true")
	bearer, ok := m.token(asker{}, "contoso", scope)
	if !ok {
		t.Fatal("nobody gets a token")
	}
	ping, pull, upload := deeds()[0], deeds()[1], deeds()[6]
	if status := m.do(asker{}, "", ping, "contoso", "app"); status != http.StatusUnauthorized {
		t.Errorf("az finds no challenge but %d", status)
	}
	for step, want := range map[*deed]int{&ping: http.StatusOK, &pull: http.StatusOK, &upload: http.StatusUnauthorized} {
		if status := m.do(asker{}, bearer, *step, "contoso", "app"); status != want {
			t.Errorf("%s: %d, want %d", step.name, status, want)
		}
	}
	open("false")
	for _, step := range []deed{ping, pull} {
		if status := m.do(asker{}, bearer, step, "contoso", "app"); status != http.StatusUnauthorized {
			t.Errorf("%s, once the registry is closed: %d", step.name, status)
		}
	}
}
