package serve_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/drydockhq/drydock/test/serve"
)

// asksAll is a task that does what the files of its context say, by its identity's
// token, by the refresh token that contoso gives for it, and by access tokens.
const asksAll = `steps:
- cmd: >
    curl -sSf -o answer -H Metadata:true "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://containerregistry.azure.net"
- cmd: busybox sh -c 'sed "s/.*access_token\":\"//; s/\".*//" answer | tr -d "\n" > token'
- cmd: curl -sSf -o answer -d grant_type=access_token -d service=contoso.azurecr.io --data-urlencode access_token@token https://contoso.azurecr.io/oauth2/exchange
- cmd: >
    busybox sh -c 'sed "s/.*refresh_token\":\"//; s/\".*//" answer | tr -d "\n" > refresh; echo "refresh $(cat refresh) end";
    echo "Authorization: Basic $(printf "00000000-0000-0000-0000-000000000000:%s" "$(cat token)" | base64 | tr -d "\n")" > token.header;
    echo "Authorization: Basic $(printf "00000000-0000-0000-0000-000000000000:%s" "$(cat refresh)" | base64 | tr -d "\n")" > refresh.header'
- cmd: curl -sS -K tokens
- cmd: >
    busybox sh -c 'for f in *.access; do echo "Authorization: Bearer $(sed "s/.*access_token\":\"//; s/\".*//" $f | tr -d "\n")" > $f.header; done'
- cmd: curl -sS -K deeds
`

// inRun is one who asks from inside of a run, and the file that signs in.
type inRun struct {
	name, file string
	nobody     func(registry string) bool
}

// question is a request from inside of a run, and whether it is to be let through.
type question struct {
	what    string
	allowed bool
}

// curls are files with requests for curl.
type curls struct {
	tokens, deeds strings.Builder
	questions     []question // of deeds, in their order
}

// another begins a request after those there are.
func another(b *strings.Builder) {
	if b.Len() > 0 {
		b.WriteString("next\nsilent\n")
	}
}

func (c *curls) access(file, header, host, repository string) {
	another(&c.tokens)
	fmt.Fprintf(&c.tokens, "url = https://%s/oauth2/token\nget\nheader = @%s\ndata-urlencode = service=%s\ndata-urlencode = \"scope=repository:%s:pull,push,delete,metadata_read,metadata_write\"\ndata-urlencode = \"scope=registry:catalog:*\"\noutput = %s\n",
		host, header, host, repository, file)
}

func (c *curls) deed(d deed, header, host, repository, digest, what string, allowed bool) {
	path := strings.NewReplacer("{repo}", repository, "{digest}", digest).Replace(d.path)
	another(&c.deeds)
	fmt.Fprintf(&c.deeds, "url = https://%s%s\nheader = @%s\noutput = /dev/null\nwrite-out = \"asked %d %%{http_code} end\\n\"\n", host, path, header, len(c.questions))
	switch {
	case d.method == "HEAD":
		c.deeds.WriteString("head\n")
	case d.method != "GET":
		fmt.Fprintf(&c.deeds, "request = %s\ndata = %q\n", d.method, d.body)
	}
	c.questions = append(c.questions, question{what, allowed})
}

// inside does all deeds from a run whose task has a role in contoso, by its identity's
// token and by what contoso has given for that. It returns that one, which is no good
// outside.
func (m *matrix) inside(a *serve.Azure, site *roleSite, scope string) asker {
	m.t.Helper()
	var c curls
	for _, who := range []inRun{
		{"a run's identity", "token", func(string) bool { return false }},
		{"a run's refresh token", "refresh", func(registry string) bool { return registry != "contoso" }},
	} {
		for _, registry := range []string{"contoso", "fabrikam", "openreg"} {
			m.insideOf(&c, who, registry, "team/app")
		}
	}
	upload := a.Upload("contoso", "-- acr-task.yaml --\n"+asksAll+"-- tokens --\n"+c.tokens.String()+"-- deeds --\n"+c.deeds.String())
	status, answer := a.Put("/registries/contoso/tasks/asks", fmt.Sprintf(`{"location":"here","identity":{"type":"SystemAssigned"},
		"properties":{"platform":{"os":"Linux"},"step":{"type":"FileTask","taskFilePath":"acr-task.yaml","contextPath":%q}}}`, upload))
	var task struct{ Identity struct{ PrincipalID string } }
	if err := json.Unmarshal([]byte(answer), &task); err != nil || status > 201 {
		m.t.Fatal(status, answer, err)
	}
	site.give(m.t, "AcrPush", scope, task.Identity.PrincipalID, "ServicePrincipal")
	run := a.Schedule("contoso", &armcontainerregistry.TaskRunRequest{Type: to.Ptr("TaskRunRequest"), TaskID: to.Ptr(taskID(a, "contoso", "asks"))})
	log, end := a.WaitLog("contoso", run)
	token := regexp.MustCompile(`(?m)^refresh (ey\S+) end`).FindStringSubmatch(log)
	if end != "successful" || token == nil {
		m.t.Fatal(end, "\n", log)
	}
	for n, q := range c.questions {
		got := regexp.MustCompile(fmt.Sprintf(`(?m)^asked %d (\d{3}) end`, n)).FindStringSubmatch(log)
		if got == nil || got[1] == "000" {
			m.t.Fatalf("%s has no answer:\n%s", q.what, log)
		}
		if (got[1] != "401" && got[1] != "403") != q.allowed {
			m.t.Errorf("%s is %s", q.what, got[1])
		}
	}
	return m.wrong("a run's refresh token, outside", tokenUser, token[1])
}

// insideOf adds the deeds of one who asks in a repository.
func (m *matrix) insideOf(c *curls, who inRun, registry, repository string) {
	var may []string
	if registry == "contoso" {
		may = pushing
	}
	host, in := registry+".azurecr.io", !who.nobody(registry)
	file := who.file + "-" + registry + ".access"
	if in {
		c.access(file, who.file+".header", host, repository)
	}
	for _, d := range deeds() {
		allowed := in
		for _, need := range d.needs {
			allowed = allowed && slices.Contains(may, need)
		}
		what := d.name + " in " + registry + "/" + repository
		c.deed(d, who.file+".header", host, repository, m.digest, who.name+", by a password: "+what, allowed)
		if in {
			c.deed(d, file+".header", host, repository, m.digest, who.name+", by a token: "+what, allowed)
		}
	}
}
