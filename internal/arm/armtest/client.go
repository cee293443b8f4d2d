package armtest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// Scope returns the id of something in the site's subscription: the parts are
// a group's name and then types and names.
func (s *Site) Scope(group string, parts ...string) drydock.ResourceID {
	id := drydock.ResourceID{Subscription: s.Subscription, Group: group}
	for i := 0; i+1 < len(parts); i += 2 {
		id.Namespace = "Microsoft.ContainerRegistry"
		id = id.Child(parts[i], parts[i+1])
	}
	return id
}

// Principal makes a service principal with a role on a scope, or with none for
// an empty role.
func (s *Site) Principal(t testing.TB, role string, scope drydock.ResourceID) auth.Credentials {
	t.Helper()
	p, credentials, err := s.Directory.Create(t.Context(), t.Name())
	if err != nil {
		t.Fatal(err)
	}
	if role != "" {
		a := drydock.RoleAssignment{ID: uuid.NewString(), Scope: scope, Role: role, Principal: p.ID, Created: time.Now()}
		if err := s.Store.PutRoleAssignment(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	return *credentials
}

// Credential returns credentials as the Azure SDK takes them.
func (s *Site) Credential(t testing.TB, c auth.Credentials) azcore.TokenCredential {
	t.Helper()
	credential, err := azidentity.NewClientSecretCredential(s.Tenant, c.AppID, c.Secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: s.options(), DisableInstanceDiscovery: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return credential
}

// Options returns the options of the Azure SDK's clients.
func (s *Site) Options() *arm.ClientOptions {
	return &arm.ClientOptions{ClientOptions: s.options(), DisableRPRegistration: true}
}

func (s *Site) options() policy.ClientOptions {
	return policy.ClientOptions{
		Cloud: cloud.Configuration{
			ActiveDirectoryAuthorityHost: s.URL + "/",
			Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
				cloud.ResourceManager: {Audience: s.URL + "/", Endpoint: s.URL},
			},
		},
		Transport: s.Client,
		Retry:     policy.RetryOptions{MaxRetries: -1},
	}
}

// Token returns a bearer token for the resource manager.
func (s *Site) Token(t testing.TB, c auth.Credentials) string {
	t.Helper()
	return s.TokenFor(t, c, s.URL+"/")
}

// TokenFor returns a bearer token for a service.
func (s *Site) TokenFor(t testing.TB, c auth.Credentials, resource string) string {
	t.Helper()
	answer, err := s.Client.PostForm(s.URL+"/adfs/oauth2/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {c.AppID}, "client_secret": {c.Secret}, "scope": {resource + "/.default"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var body struct {
		AccessToken string `json:"access_token"`
	}
	if err := readJSON(answer, &body); err != nil || body.AccessToken == "" {
		t.Fatalf("asking for a token: %s: %v", answer.Status, err)
	}
	return body.AccessToken
}

// Answer is an answer of the resource manager.
type Answer struct {
	Status int
	Header http.Header
	Body   map[string]any
}

// Code returns the error code of an answer, "" for none.
func (a Answer) Code() string {
	e, _ := a.Body["error"].(map[string]any)
	code, _ := e["code"].(string)
	return code
}

// Message returns the error's message.
func (a Answer) Message() string {
	e, _ := a.Body["error"].(map[string]any)
	message, _ := e["message"].(string)
	return message
}

// At returns what is at a path of keys in the body.
func (a Answer) At(path string) any {
	var v any = a.Body
	for _, key := range strings.Split(path, ".") {
		o, _ := v.(map[string]any)
		v = o[key]
	}
	return v
}

// Do sends a request with a bearer token, none if it is empty. The path gets an
// api-version unless it has a query with one. Headers are names and values.
func (s *Site) Do(t testing.TB, token, method, path, body string, headers ...string) Answer {
	t.Helper()
	if !strings.Contains(path, "api-version=") {
		if strings.Contains(path, "?") {
			path += "&api-version=2023-07-01"
		} else {
			path += "?api-version=2023-07-01"
		}
	}
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, strings.TrimPrefix(path, s.URL), content)
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Scheme, r.URL.Host = base.Scheme, base.Host
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := s.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	got := Answer{Status: answer.StatusCode, Header: answer.Header}
	if err := readJSON(answer, &got.Body); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return got
}

func readJSON(answer *http.Response, to any) error {
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || len(text) == 0 {
		return err
	}
	return json.Unmarshal(text, to)
}
