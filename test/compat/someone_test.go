package compat_test

import (
	"encoding/json"
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

// graph sends a request to the directory, as the admin.
func (a *sdk) graph(t *testing.T, path, body string) map[string]any {
	t.Helper()
	base := "https://" + a.Server.Host("graph")
	token := must(a.Server.Admin().GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{base + "/.default"}}))(t)
	r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/v1.0"+path, strings.NewReader(body)))(t)
	r.Header.Set("Authorization", "Bearer "+token.Token)
	r.Header.Set("Content-Type", "application/json")
	answer := must(a.Server.HTTP().Do(r))(t)
	defer answer.Body.Close()
	var o map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&o); err != nil || answer.StatusCode >= 300 {
		t.Fatal(path, answer.Status, o, err)
	}
	return o
}
