package serve_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/images"
)

// exchanges is a task that gets tokens of its registry for one of its identity, and
// uses them from its containers, for itself and for builds.
const exchanges = `steps:
- cmd: >
    curl -sS -o answer -H Metadata:true "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/"
- cmd: busybox sh -c 'sed "s/.*access_token\":\"//; s/\".*//" answer | tr -d "\n" > token'
- cmd: curl -sS -o answer -d grant_type=access_token -d service=contoso.azurecr.io --data-urlencode access_token@token https://contoso.azurecr.io/oauth2/exchange
- cmd: busybox sh -c 'sed "s/.*refresh_token\":\"//; s/\".*//" answer | tr -d "\n" > refresh; echo "refresh $(cat refresh) end"'
- cmd: >
    curl -sS -o answer -d grant_type=refresh_token -d service=contoso.azurecr.io -d scope=repository:app:pull --data-urlencode refresh_token@refresh https://contoso.azurecr.io/oauth2/token
- cmd: >
    busybox sh -c 'sed "s/.*access_token\":\"//; s/\".*//" answer | tr -d "\n" > access; echo "access $(cat access) end"; echo "Authorization: Bearer $(cat access)" > header'
- cmd: curl -sS -H @header -o /dev/null -w "inside %{http_code}\n" https://contoso.azurecr.io/v2/app/manifests/v1
- cmd: docker login contoso.azurecr.io -u 00000000-0000-0000-0000-000000000000 --password-stdin < refresh
- cmd: docker pull contoso.azurecr.io/app:v1
- cmd: busybox sh -c 'echo FROM contoso.azurecr.io/app:v1 > Dockerfile'
- build: -t built --pull --no-cache .
- cmd: busybox sh -c 'echo in progress; sleep 600'
`

// shows is a task that uses the login of its run from a container, and tells it in a
// form that no log hides.
const shows = `steps:
- cmd: >
    busybox sh -c 'sed -n "/contoso.azurecr.io\"/,/auth\"/s/.*\"auth\": \"\(.*\)\"/\1/p" ~/.docker/config.json | tr -d "\n" > auth; echo "Authorization: Basic $(cat auth)" > header; echo "login $(tr a-zA-Z n-za-mN-ZA-M < auth) end"'
- cmd: curl -sS -H @header -o /dev/null -w "inside %{http_code}\n" https://contoso.azurecr.io/v2/app/manifests/v1
- cmd: curl -sS -H @header -o /dev/null -w "on the host's network %{http_code}\n" https://contoso.azurecr.io/v2/app/manifests/v1
  network: host
- cmd: docker pull contoso.azurecr.io/app:v1
- cmd: busybox sh -c 'echo in progress; sleep 600'
`

// What steps find in ~/.docker/config.json opens the registry in the run and nowhere
// else, not even while the run lasts.
func TestLoginsOfRunsStayInThem(t *testing.T) {
	t.Parallel()
	o := newOffice(t, hubWith(t, images.Curl))
	push(t, o.server, o.server.LoginServer("contoso")+"/app:v1")
	o.Must("acr", "task", "create", "-r", "contoso", "-n", "shows", "-c", "/dev/null", "-f", o.file(shows), "-o", "none")
	run := strings.TrimSpace(o.Must("acr", "task", "run", "-r", "contoso", "-n", "shows", "--no-wait", "--query", "runId", "-o", "tsv"))
	log := o.untilLog(run, "in progress")
	o.wantWords(log, "inside 200", "on the host's network 200")
	shown := regexp.MustCompile(`(?m)^login (\S{100,}) end`).FindStringSubmatch(log)
	if shown == nil {
		t.Fatalf("the run has no login:\n%s", log)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+o.server.LoginServer("contoso")+"/v2/app/manifests/v1", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Basic "+strings.Map(rot13, shown[1]))
	if user, _, ok := r.BasicAuth(); !ok || user != "00000000-0000-0000-0000-000000000000" {
		t.Fatalf("the login is of %q", user)
	}
	answer, err := o.server.HTTP().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("outside of the run, a pull with its login is answered with %s", answer.Status)
	}
	o.Must("acr", "task", "cancel-run", "-r", "contoso", "--run-id", run)
}

// rot13 undoes what the task does to its login.
func rot13(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z':
		return 'a' + (r-'a'+13)%26
	case r >= 'A' && r <= 'Z':
		return 'A' + (r-'A'+13)%26
	}
	return r
}

// statusOf asks a registry for an access token, or for a manifest with one.
func (o *office) statusOf(refresh, access string) (token, manifest int) {
	o.t.Helper()
	login := "https://" + o.server.LoginServer("contoso")
	answer, err := o.server.HTTP().PostForm(login+"/oauth2/token", url.Values{
		"grant_type": {"refresh_token"}, "service": {"contoso"}, "scope": {"repository:app:pull"}, "refresh_token": {refresh},
	})
	if err != nil {
		o.t.Fatal(err)
	}
	answer.Body.Close()
	r, err := http.NewRequestWithContext(o.t.Context(), http.MethodGet, login+"/v2/app/manifests/v1", nil)
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+access)
	pulled, err := o.server.HTTP().Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	pulled.Body.Close()
	return answer.StatusCode, pulled.StatusCode
}

// What a registry gives a step for a token of the run's identity opens the registry
// in the run, for its pulls and builds too, and nowhere else.
func TestExchangedTokensStayInTheirRun(t *testing.T) {
	t.Parallel()
	o := newOffice(t, hubWith(t, images.Curl))
	push(t, o.server, o.server.LoginServer("contoso")+"/app:v1")
	o.Must("acr", "task", "create", "-r", "contoso", "-n", "exchange", "-c", "/dev/null", "-f", o.file(exchanges), "--assign-identity", "--auth-mode", "None", "-o", "none")
	o.Must("role", "assignment", "create", "--assignee-object-id", o.principal("exchange"), "--role", "AcrPull",
		"--scope", strings.TrimSpace(o.Must("acr", "show", "-n", "contoso", "--query", "id", "-o", "tsv")), "-o", "none")
	run := strings.TrimSpace(o.Must("acr", "task", "run", "-r", "contoso", "-n", "exchange", "--no-wait", "--query", "runId", "-o", "tsv"))
	log := o.untilLog(run, "in progress")
	o.wantWords(log, "inside 200", "Login Succeeded")
	tokens := regexp.MustCompile(`(?m)^(refresh|access) (ey\S+) end`).FindAllStringSubmatch(log, -1)
	if len(tokens) != 2 {
		t.Fatalf("the run got no tokens:\n%s", log)
	}
	if token, manifest := o.statusOf(tokens[0][2], tokens[1][2]); token != http.StatusUnauthorized || manifest != http.StatusUnauthorized {
		t.Errorf("outside of the run, a token is answered with %d, a pull with %d", token, manifest)
	}
	o.Must("acr", "task", "cancel-run", "-r", "contoso", "--run-id", run)
	o.Until("Canceled", "acr", "task", "show-run", "-r", "contoso", "--run-id", run, "--query", "status", "-o", "tsv")
	if token, manifest := o.statusOf(tokens[0][2], tokens[1][2]); token != http.StatusUnauthorized || manifest != http.StatusUnauthorized {
		t.Errorf("after the run, a token is answered with %d, a pull with %d", token, manifest)
	}
}
