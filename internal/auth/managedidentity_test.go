package auth_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// machine is a run with the identities of its task, and the endpoint that its
// containers ask.
type machine struct {
	*site
	*auth.ManagedIdentity
	run        drydock.RunRecord
	task       drydock.ResourceID
	identities drydock.Identities
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{site: newSite(t), task: registryID("one").Child("tasks", "hello")}
	request, err := json.Marshal(drydock.RunRequest{Kind: drydock.EncodedTaskRun, Identity: m.task})
	if err != nil {
		t.Fatal(err)
	}
	m.run = drydock.RunRecord{Registry: registryID("one"), ID: "ca1", Status: drydock.RunRunning, Attempts: 1, Created: time.Now(), Request: request}
	m.store.setRun(m.run)
	m.identities = drydock.Identities{Resource: m.task}
	m.ManagedIdentity = auth.NewManagedIdentity(m.Authority, func(_ context.Context, id drydock.ResourceID) (drydock.Identities, error) {
		if id.Key() != m.task.Key() {
			return drydock.Identities{Resource: id}, nil
		}
		return m.identities, nil
	}, slog.New(slog.DiscardHandler))
	return m
}

// identity makes a managed identity.
func (m *machine) identity(t *testing.T, name string, owner drydock.ResourceID) drydock.Principal {
	t.Helper()
	p := drydock.Principal{ID: name + "-object", AppID: name + "-client", Kind: drydock.ManagedIdentity, Name: name, Owner: owner}
	if err := m.store.PutPrincipal(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	return p
}

func (m *machine) system(t *testing.T) drydock.Principal {
	t.Helper()
	p := m.identity(t, "system", m.task)
	m.identities.System = &p
	return p
}

// user assigns a user-assigned identity to the task.
func (m *machine) user(t *testing.T, name string) drydock.Principal {
	t.Helper()
	owner := registryID(name)
	owner.Namespace, owner.Types = "Microsoft.ManagedIdentity", []string{"userAssignedIdentities"}
	p := m.identity(t, name, owner)
	m.identities.Users = append(m.identities.Users, p)
	return p
}

// inside returns the context of a request that comes out of the run.
func (m *machine) inside(t *testing.T) context.Context {
	return auth.WithRun(t.Context(), m.run.Key())
}

// get asks the endpoint from within a run, none for a nil key.
func (m *machine) get(t *testing.T, from *drydock.RunKey, method, target, body string, headers ...string) (int, map[string]any) {
	t.Helper()
	ctx := t.Context()
	if from != nil {
		ctx = auth.WithRun(ctx, *from)
	}
	r := httptest.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	m.ManagedIdentity.ServeHTTP(w, r)
	var answer map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%s %s answered %q: %v", method, target, w.Body, err)
	}
	return w.Code, answer
}

const imds = "http://169.254.169.254" + auth.InstanceTokenPath + "?api-version=2018-02-01&resource=" + armResource

func TestTheFormsInWhichRunsAskForTokens(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	p := m.system(t)
	key := m.run.Key()
	endpoint := "http://169.254.1.1" + auth.EndpointTokenPath
	for name, ask := range map[string]struct {
		method, target, body string
		headers              []string
	}{
		"virtual machine": {"GET", imds, "", []string{"Metadata", "true"}},
		"app service":     {"GET", endpoint + "?api-version=2019-08-01&resource=" + armResource, "", []string{"X-IDENTITY-HEADER", m.Header(key)}},
		"cloud shell":     {"POST", endpoint, "resource=" + url.QueryEscape(armResource), []string{"Metadata", "true"}},
	} {
		status, answer := m.get(t, &key, ask.method, ask.target, ask.body, ask.headers...)
		if status != http.StatusOK {
			t.Errorf("%s: %d %v", name, status, answer)
			continue
		}
		for _, field := range []string{"expires_in", "expires_on", "not_before"} {
			if text, ok := answer[field].(string); !ok || text == "" || strings.Trim(text, "0123456789") != "" {
				t.Errorf("%s: %s is %v", name, field, answer[field])
			}
		}
		if answer["token_type"] != "Bearer" || answer["client_id"] != p.AppID || answer["resource"] != armResource {
			t.Errorf("%s: %v", name, answer)
		}
		got, err := m.Verify(m.inside(t), answer["access_token"].(string), auth.Management)
		if err != nil || got.ID != p.ID || got.Run == nil || got.Run.ID != "ca1" {
			t.Errorf("%s: the token is of %+v: %v", name, got, err)
		}
	}
}

func TestRefusedRequestsForTokens(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.system(t)
	key := m.run.Key()
	other := key
	other.ID = "ca2"
	app := auth.EndpointTokenPath + "?api-version=2019-08-01&resource=" + armResource
	for name, ask := range map[string]struct {
		from           *drydock.RunKey
		method, target string
		headers        []string
		status         int
		words          string
	}{
		"from outside of runs":         {nil, "GET", imds, []string{"Metadata", "true"}, 403, "containers of runs"},
		"with the header outside":      {nil, "GET", app, []string{"X-Identity-Header", m.Header(key)}, 403, "containers of runs"},
		"without the metadata header":  {&key, "GET", imds, nil, 400, "metadata header not specified"},
		"through a proxy":              {&key, "GET", imds, []string{"Metadata", "true", "X-Forwarded-For", "10.0.0.1"}, 400, "X-Forwarded-For"},
		"without the identity header":  {&key, "GET", app, nil, 401, "X-IDENTITY-HEADER"},
		"with the header of another":   {&key, "GET", app, []string{"X-Identity-Header", m.Header(other)}, 401, "X-IDENTITY-HEADER"},
		"a run that there is not":      {&other, "GET", imds, []string{"Metadata", "true"}, 400, "has ended"},
		"for nothing":                  {&key, "GET", strings.Split(imds, "?")[0], []string{"Metadata", "true"}, 400, "'resource' is missing"},
		"for what there is not":        {&key, "GET", strings.Split(imds, "?")[0] + "?resource=https://x.example", []string{"Metadata", "true"}, 400, "https://x.example was not found"},
		"an identity that there's not": {&key, "GET", imds + "&client_id=stranger", []string{"Metadata", "true"}, 400, "Identity not found: task hello in registry one does not have the user-assigned identity stranger"},
		"with another method":          {&key, "PUT", imds, []string{"Metadata", "true"}, 405, "method"},
		"something else":               {&key, "GET", "/metadata/instance", []string{"Metadata", "true"}, 404, "nothing here"},
	} {
		status, answer := m.get(t, ask.from, ask.method, ask.target, "", ask.headers...)
		text, _ := answer["error_description"].(string)
		if status != ask.status || !strings.Contains(text, ask.words) || answer["access_token"] != nil {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
}

func TestWhichIdentityARunIsGiven(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	key := m.run.Key()
	ask := func(query string) (int, string) {
		status, answer := m.get(t, &key, http.MethodGet, imds+query, "", "Metadata", "true")
		if status != http.StatusOK {
			return status, answer["error_description"].(string)
		}
		return status, answer["client_id"].(string)
	}
	want := func(query string, status int, words string) {
		t.Helper()
		if got, text := ask(query); got != status || !strings.Contains(text, words) {
			t.Errorf("%q: %d %s", query, got, text)
		}
	}
	want("", 400, "Identity not found: task hello in registry one does not have an identity of its own")
	one := m.user(t, "puller")
	want("", 200, "puller-client")
	m.user(t, "pusher")
	want("", 400, "Multiple user assigned identities exist")
	for _, query := range []string{
		"&client_id=PULLER-client", "&object_id=puller-object", "&principal_id=puller-object",
		"&mi_res_id=" + one.Owner.String(), "&msi_res_id=" + strings.ToUpper(one.Owner.String()),
	} {
		want(query, 200, "puller-client")
	}
	m.system(t)
	want("", 200, "system-client")
	want("&client_id=system-client", 200, "system-client")
	m.identities.System = nil
	want("&client_id=system-client", 400, "Identity not found")

	m.run.Request = []byte(`{}`)
	m.store.setRun(m.run)
	want("", 400, "Identity not found: the run ca1 has none")
}

func TestTokensOfARunAreGoodInItAndWhileItLasts(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	p := m.system(t)
	key := m.run.Key()
	_, answer := m.get(t, &key, http.MethodGet, imds, "", "Metadata", "true")
	token := answer["access_token"].(string)
	verify := func(ctx context.Context) error {
		_, err := m.Verify(ctx, token, auth.Management)
		return err
	}
	if err := verify(m.inside(t)); err != nil {
		t.Fatal(err)
	}
	if err := verify(t.Context()); err == nil || !strings.Contains(err.Error(), "good only in that run") {
		t.Errorf("outside of the run: %v", err)
	}
	neighbour := key
	neighbour.ID = "ca2"
	if err := verify(auth.WithRun(t.Context(), neighbour)); err == nil {
		t.Error("another run can use the token")
	}
	for _, change := range []func(*drydock.RunRecord){
		func(r *drydock.RunRecord) { r.Status = drydock.RunSucceeded },
		func(r *drydock.RunRecord) { r.Status = drydock.RunCanceled },
		func(r *drydock.RunRecord) { r.Status = drydock.RunQueued },
		func(r *drydock.RunRecord) { r.Attempts++ },
		func(r *drydock.RunRecord) { r.Created = r.Created.Add(time.Nanosecond) },
	} {
		r := m.run
		change(&r)
		m.store.setRun(r)
		if err := verify(m.inside(t)); err == nil || !strings.Contains(err.Error(), "has ended") {
			t.Errorf("%+v: %v", r, err)
		}
		if status, answer := m.get(t, &key, http.MethodGet, imds, "", "Metadata", "true"); status != 400 {
			t.Errorf("the endpoint still answers %v", answer)
		}
	}
	m.store.setRun(m.run)
	if err := m.store.DeletePrincipal(t.Context(), p.ID); err != nil {
		t.Fatal(err)
	}
	if err := verify(m.inside(t)); err == nil || !strings.Contains(err.Error(), "was deleted") {
		t.Errorf("after the identity was deleted: %v", err)
	}
}

// What an identity signs in to a registry with ends with the run too, also what
// was made of it.
func TestRegistryTokensOfAnIdentityEndWithTheRun(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	p := m.system(t)
	registry := registryID("two")
	a := drydock.RoleAssignment{Scope: registry, Role: auth.AcrPullRole, Principal: p.ID}
	if err := m.store.PutRoleAssignment(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	key := m.run.Key()
	p.Run = &key
	token, err := m.NewRegistryToken(registry, p, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	tokens := &auth.RegistryTokens{Authority: m.Authority, Roles: m.store}
	// Steps see it: whatever else the identity may open, this token does not.
	if p, err := tokens.RefreshToken(t.Context(), registryID("three"), token); drydock.CodeOf(err) != drydock.Denied {
		t.Errorf("in another registry it is that of %+v: %v", p, err)
	}
	for _, audience := range []auth.Audience{auth.Registry, auth.Management, auth.Vault, auth.Graph} {
		if p, err := m.Verify(m.inside(t), token, audience); err == nil {
			t.Errorf("for %s it is that of %+v", audience, p)
		}
	}
	if p, err := tokens.AccessToken(m.inside(t), token); err == nil {
		t.Errorf("exchanged, it is that of %+v", p)
	}
	reader, err := tokens.RefreshToken(t.Context(), registry, token)
	if err != nil {
		t.Fatal(err)
	}
	refresh, err := tokens.MintRefresh(t.Context(), registry, reader)
	if err != nil {
		t.Fatal(err)
	}
	access, _, err := tokens.MintAccess(t.Context(), registry, reader, []auth.RepositoryAccess{{Type: "repository", Name: "node", Actions: []string{"pull", "push"}}})
	if err != nil {
		t.Fatal(err)
	}
	_, granted, err := tokens.VerifyAccess(t.Context(), registry, access)
	if err != nil || len(granted) != 1 || strings.Join(granted[0].Actions, " ") != "pull" {
		t.Errorf("granted %v: %v", granted, err)
	}
	m.run.Status = drydock.RunSucceeded
	m.store.setRun(m.run)
	if _, _, err := tokens.VerifyAccess(t.Context(), registry, access); drydock.CodeOf(err) != drydock.Denied {
		t.Errorf("the access token: %v", err)
	}
	for name, token := range map[string]string{"refresh token": refresh, "token": token} {
		if _, err := tokens.RefreshToken(t.Context(), registry, token); drydock.CodeOf(err) != drydock.Denied {
			t.Errorf("the %s: %v", name, err)
		}
	}
}

// What a registry gives for a confined token is as confined: it is good in the run
// that got it and nowhere else. What the run itself signs in with in place of it is
// the same, but for that.
func TestRegistryTokensOfConfinedOnesAreConfined(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	p := m.system(t)
	registry := registryID("two")
	if err := m.store.PutRoleAssignment(t.Context(), drydock.RoleAssignment{Scope: registry, Role: auth.AcrPullRole, Principal: p.ID}); err != nil {
		t.Fatal(err)
	}
	key := m.run.Key()
	_, answer := m.get(t, &key, http.MethodGet, imds, "", "Metadata", "true")
	tokens := &auth.RegistryTokens{Authority: m.Authority, Roles: m.store}
	reader, err := tokens.AccessToken(m.inside(t), answer["access_token"].(string))
	if err != nil {
		t.Fatal(err)
	}
	refresh, err := tokens.MintRefresh(t.Context(), registry, reader)
	if err != nil {
		t.Fatal(err)
	}
	again, err := tokens.RefreshToken(m.inside(t), registry, refresh)
	if err != nil {
		t.Fatal(err)
	}
	access, _, err := tokens.MintAccess(t.Context(), registry, again, []auth.RepositoryAccess{{Type: "repository", Name: "node", Actions: []string{"pull"}}})
	if err != nil {
		t.Fatal(err)
	}
	later, elsewhere := key, key
	later.Attempt++
	elsewhere.ID = "ca2"
	refused := func(where string, from context.Context, refresh string) {
		t.Helper()
		_, first := tokens.RefreshToken(from, registry, refresh)
		_, _, second := tokens.VerifyAccess(from, registry, access)
		if drydock.CodeOf(first) != drydock.Denied || drydock.CodeOf(second) != drydock.Denied {
			t.Errorf("%s the tokens are good: %v, %v", where, first, second)
		}
	}
	refused("outside", t.Context(), refresh)
	refused("in another attempt", auth.WithRun(t.Context(), later), refresh)
	refused("in another run", auth.WithRun(t.Context(), elsewhere), refresh)
	if _, granted, err := tokens.VerifyAccess(m.inside(t), registry, access); err != nil || len(granted) != 1 {
		t.Errorf("in the run %v is granted: %v", granted, err)
	}
	for name, c := range map[string]struct {
		registry drydock.ResourceID
		run      drydock.RunKey
	}{"another run": {registry, elsewhere}, "another registry": {registryID("three"), key}} {
		if got, err := m.Unconfined(c.registry, c.run, refresh); err != nil || got != refresh {
			t.Errorf("for %s: %v", name, err)
		}
	}
	own, err := m.Unconfined(registry, key, refresh)
	if err != nil || own == refresh {
		t.Fatal("the run itself can't use it: ", err)
	}
	signedIn, err := tokens.RefreshToken(t.Context(), registry, own)
	if err != nil || signedIn.ID != p.ID || signedIn.Run == nil || signedIn.Confined {
		t.Errorf("the run is signed in as %+v: %v", signedIn, err)
	}
	if again, err := m.Confined(registry, key, own); err != nil || again == own {
		t.Error("it can't be shown to steps: ", err)
	} else {
		refused("outside, as steps see it", t.Context(), again)
	}
	m.run.Status = drydock.RunSucceeded
	m.store.setRun(m.run)
	refused("after the run", m.inside(t), refresh)
	refused("after the run", t.Context(), own)
}

// What the server itself signs in with as an identity, to look at images for a
// task, is good for a short time.
func TestRegistryTokensOfTheServerItself(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	registry := registryID("two")
	token, err := m.NewRegistryToken(registry, m.system(t), 9*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	tokens := &auth.RegistryTokens{Authority: m.Authority, Roles: m.store}
	if p, err := tokens.RefreshToken(t.Context(), registry, token); err != nil || p.Name != "system" || p.Run != nil {
		t.Errorf("%+v: %v", p, err)
	}
	m.now = m.now.Add(17 * time.Minute)
	if p, err := tokens.RefreshToken(t.Context(), registry, token); err == nil {
		t.Errorf("the token is still that of %+v", p)
	}
}

// toMachine brings a client's requests to the endpoint of a machine.
type toMachine struct {
	*machine
	asked *[]string // for which URLs
}

// Do implements policy.Transporter.
func (m toMachine) Do(r *http.Request) (*http.Response, error) {
	*m.asked = append(*m.asked, r.Method+" "+r.URL.Host+r.URL.Path)
	w := httptest.NewRecorder()
	m.ManagedIdentity.ServeHTTP(w, r.WithContext(auth.WithRun(r.Context(), m.run.Key())))
	answer := w.Result()
	answer.Request = r
	return answer, nil
}

// Microsoft's client finds the endpoint in the environment and gets tokens there.
// It reads that of the process, so nothing goes on beside this test, and it keeps
// tokens by what they are for, so each part is for something else.
func TestMicrosoftsClientInARun(t *testing.T) {
	m := newMachine(t)
	m.now = time.Now() // as the client's
	m.system(t)
	user := m.user(t, "puller")
	for _, v := range m.Environment(m.run.Key(), "http://169.254.1.1") {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	var asked []string
	ask := func(id azidentity.ManagedIDKind, resource string, audience auth.Audience) (string, error) {
		client, err := azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{
			ID: id, ClientOptions: azcore.ClientOptions{Transport: toMachine{m, &asked}, Retry: policy.RetryOptions{MaxRetries: -1}},
		})
		if err != nil {
			return "", err
		}
		token, err := client.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{resource + "/.default"}})
		if err != nil {
			return "", err
		}
		if left := time.Until(token.ExpiresOn); left < 50*time.Minute || left > 70*time.Minute {
			t.Errorf("the client takes the token to be good for %s", left)
		}
		p, err := m.Verify(m.inside(t), token.Token, audience)
		return p.Name, err
	}
	want := func(id azidentity.ManagedIDKind, resource string, audience auth.Audience, name, at string) {
		t.Helper()
		asked = nil
		got, err := ask(id, resource, audience)
		if got != name || err != nil || len(asked) == 0 || asked[len(asked)-1] != at {
			t.Errorf("the client is %q: %v; it has asked %q", got, err, asked)
		}
	}
	const endpoint = "169.254.1.1" + auth.EndpointTokenPath
	want(nil, armResource, auth.Management, "system", "GET "+endpoint)
	want(azidentity.ClientID(user.AppID), armResource, auth.Management, "puller", "GET "+endpoint)
	want(azidentity.ResourceID(user.Owner.String()), armResource, auth.Management, "puller", "GET "+endpoint)
	want(azidentity.ObjectID(user.ID), armResource, auth.Management, "puller", "GET "+endpoint)

	t.Setenv("IDENTITY_ENDPOINT", "") // what is left is Cloud Shell's
	t.Setenv("IDENTITY_HEADER", "")
	want(nil, "https://management.core.windows.net/", auth.Management, "system", "POST "+endpoint)

	t.Setenv("MSI_ENDPOINT", "") // what is left is the address of all machines
	const address = "GET 169.254.169.254" + auth.InstanceTokenPath
	want(nil, "https://containerregistry.azure.net", auth.Registry, "system", address)
	want(azidentity.ClientID(user.AppID), "https://containerregistry.azure.net", auth.Registry, "puller", address)
	if name, err := ask(azidentity.ClientID("stranger"), armResource, auth.Management); err == nil || !strings.Contains(err.Error(), "dentity not found") {
		t.Errorf("the client is %q: %v", name, err)
	}
}
