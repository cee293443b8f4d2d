package compat_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// someone is a service principal without any rights.
type someone struct {
	object     string
	credential azcore.TokenCredential
}

// someone makes one.
func (a *sdk) someone(t *testing.T) someone {
	t.Helper()
	app := a.graph(t, "/applications", `{"displayName":"`+t.Name()+`"}`)
	secret := a.graph(t, "/applications/"+app["id"].(string)+"/addPassword", `{"passwordCredential":{"displayName":"x"}}`)
	principal := a.graph(t, "/servicePrincipals", `{"appId":"`+app["appId"].(string)+`"}`)
	return someone{principal["id"].(string), a.Server.Credential(app["appId"].(string), secret["secretText"].(string))}
}

// graph sends a POST to the directory, as the admin.
func (a *sdk) graph(t *testing.T, path, body string) map[string]any {
	t.Helper()
	scope := []string{"https://" + a.Server.Host("graph") + "/.default"}
	return a.graphAs(t, must(a.Server.Admin().GetToken(t.Context(), policy.TokenRequestOptions{Scopes: scope}))(t).Token, http.MethodPost, path, body)
}

// graphAs sends a request to the directory with a token. It has to succeed; what it
// answers is nil for an empty body.
func (a *sdk) graphAs(t *testing.T, token, method, path, body string) map[string]any {
	t.Helper()
	r := must(http.NewRequestWithContext(t.Context(), method, "https://"+a.Server.Host("graph")+"/v1.0"+path, strings.NewReader(body)))(t)
	r.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer := must(a.site.recorder.Do(r))(t)
	defer answer.Body.Close()
	text := must(io.ReadAll(answer.Body))(t)
	if answer.StatusCode >= 300 {
		t.Fatal(method, " ", path, ": ", answer.Status, " ", string(text))
	}
	var o map[string]any
	if err := json.Unmarshal(text, &o); err != nil && len(text) > 0 {
		t.Fatal(path, " ", err)
	}
	return o
}
