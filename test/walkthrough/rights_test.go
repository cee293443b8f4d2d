package walkthrough_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/walkthrough"
)

// early are runs that are put into the script, each before the line that makes it
// possible, and what is said of each.
func early() []struct{ before, run, said string } {
	const node, hello = `az acr task run -r "$REGISTRY_PUBLIC" -n node-public`, `az acr task run -r "$REGISTRY" -n hello-world`
	return []struct{ before, run, said string }{
		{`credential node-public`, node, `429 Too Many Requests`},
		{
			`reads node-public`, node,
			`identity \[system\] of task node-public in registry publicregistry \(object id \S+\) may not read the secret registry-dockerhub-\w+ ` +
				`in vault acr-task-credentials: it lacks the permission 'get' on secrets`,
		},
		{`az acr task run -r "$REGISTRY_PUBLIC"`, `secret registry-dockerhub-password "guessed-$RANDOM"; ` + node, `401 Unauthorized`},
		{
			`reads hello-world`, hello,
			`identity \[system\] of task hello-world in registry contoso \(object id \S+\) may not read the secret registry-\w+-\w+ ` +
				`in vault acr-task-credentials: it lacks the permission 'get' on secrets`,
		},
		{ // without a role, and with one that is not enough
			`az role assignment create`,
			hello + "\n" + `command az role assignment create --assignee "$(principal hello-world "$REGISTRY")" ` +
				`--scope "$(az group show -n "$ACI-rg" --query id -o tsv)" --role reader -o none; ` + hello,
			`the identity \S+ may use no subscription .*az role assignment create --assignee(?s:.*)` +
				`with object id '\S+' does not have authorization to perform action 'Microsoft\.ContainerInstance/containerGroups/write' over scope '\S+/hello-world-aci\b`,
		},
	}
}

// earlyScript makes a script of it, up to where the page is there.
func earlyScript(t *testing.T) walkthrough.Script {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(examples, "walk.sh"))
	if err != nil {
		t.Fatal(err)
	}
	head, tail, found := strings.Cut(string(text), "\ntitle 'Three registries")
	body, _, ended := strings.Cut(tail, "\nperson look\n")
	if !found || !ended {
		t.Fatal("the script is another one")
	}
	body = "\ntitle 'Three registries" + body
	for _, e := range slices.Backward(early()) { // a run is put in before it is looked for
		at := "\n" + e.before
		if strings.Count(body, at) != 1 {
			t.Fatalf("the script has not one line %q", e.before)
		}
		run := "\n" + e.run
		if strings.HasPrefix(e.run, "secret ") {
			run += "\n" + `secret registry-dockerhub-password "$REGISTRY_DOCKERHUB_PASSWORD"`
		}
		body = strings.Replace(body, at, run+at, 1)
	}
	path := filepath.Join(t.TempDir(), "early.sh")
	if err := os.WriteFile(path, []byte(head+body+"\nperson look\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return walkthrough.Script{Path: path, Page: true}
}

// Runs that come before the credentials, the policy or the role that they need fail,
// and say who lacks what. With these, the same runs succeed; and no secret is in
// what was said of the failures.
func TestRightsAreNeeded(t *testing.T) {
	t.Parallel()
	s := walkthrough.Set(t, walkthrough.Options{Examples: examples, Git: walkthrough.Plain})
	p := s.Person("rights")
	p.Expect(p.Names.Public, slices.Repeat([]string{"node-public Manual Failed"}, 3)...)
	p.Expect(p.Names.Team, slices.Repeat([]string{"hello-world Manual Failed"}, 3)...)
	played, err := s.Play(t.Context(), earlyScript(t), p)
	if played == nil {
		t.Fatal(err)
	}
	wrong := slices.DeleteFunc(slices.Clone(played.Codes), func(line string) bool { return strings.HasPrefix(line, "rc=0 ") })
	want := append(slices.Repeat([]string{"rc=1  az acr task run -r publicregistry -n node-public"}, 3),
		slices.Repeat([]string{"rc=1  az acr task run -r contoso -n hello-world"}, 3)...)
	if !slices.Equal(wrong, want) {
		t.Errorf("what failed is %q, not %q: %v\n%s", wrong, want, err, played.Output)
	}
	rest := played.Output
	for _, e := range early() {
		at := regexp.MustCompile(e.said).FindStringIndex(rest)
		if at == nil {
			t.Fatalf("it was not said that %s:\n%s", e.said, rest)
		}
		rest = rest[at[1]:]
	}
	if err := p.WantNoSecrets(t.Context()); err != nil {
		t.Error(err)
	}
}
