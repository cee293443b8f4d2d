package serve_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/drydockhq/drydock/test/serve"
)

// tokenMaker makes tokens of registries.
type tokenMaker struct {
	*serve.Azure
	t *testing.T
}

// put creates or replaces something below a registry.
func (m tokenMaker) put(path, body string) {
	m.t.Helper()
	if status, answer := m.Put("/registries/"+path, body); status > http.StatusCreated {
		m.t.Fatal(path, body, status, answer)
	}
}

// scopeMap returns the id of a scope map of a registry.
func (m tokenMaker) scopeMap(registry, name string) string {
	return "/subscriptions/" + m.Subscription + "/resourceGroups/" + serve.Group + "/providers/Microsoft.ContainerRegistry/registries/" + registry + "/scopeMaps/" + name
}

// token makes a token with a scope map, and returns its passwords.
func (m tokenMaker) token(registry, name, scopeMap string) []string {
	m.t.Helper()
	m.put(registry+"/tokens/"+name, `{"properties":{"scopeMapId":"`+m.scopeMap(registry, scopeMap)+`"}}`)
	return m.generate(registry, name, "")
}

// scoped makes a token with a scope map of its own.
func (m tokenMaker) scoped(registry, name string, actions ...string) []string {
	m.t.Helper()
	m.actions(registry, name+"-scope-map", actions...)
	return m.token(registry, name, name+"-scope-map")
}

// actions makes or changes a scope map.
func (m tokenMaker) actions(registry, name string, actions ...string) {
	m.t.Helper()
	text, err := json.Marshal(append([]string{}, actions...))
	if err != nil {
		m.t.Fatal(err)
	}
	m.put(registry+"/scopeMaps/"+name, `{"properties":{"actions":`+string(text)+`}}`)
}

// generate makes passwords for a token: with more of the request's body, as
// `,"name":"password1"`.
func (m tokenMaker) generate(registry, name, more string) []string {
	m.t.Helper()
	id := "/subscriptions/" + m.Subscription + "/resourceGroups/" + serve.Group + "/providers/Microsoft.ContainerRegistry/registries/" + registry + "/tokens/" + name
	status, answer := m.Post("/registries/"+registry+"/generateCredentials", `{"tokenId":"`+id+`"`+more+`}`)
	var made struct {
		Username  string
		Passwords []struct{ Value string }
	}
	if err := json.Unmarshal([]byte(answer), &made); err != nil || status != http.StatusOK || made.Username != name {
		m.t.Fatal(name, status, answer)
	}
	var passwords []string
	for _, p := range made.Passwords {
		passwords = append(passwords, p.Value)
	}
	return passwords
}
