package auth_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// ask sends a form to the token endpoint of a flavour.
func (s *site) ask(t *testing.T, path string, form url.Values) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, loginURL+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("%s answered %q: %v", path, w.Body, err)
	}
	return w.Code, body
}

func signIn(c *auth.Credentials) url.Values {
	return url.Values{
		"grant_type": {"client_credentials"}, "client_id": {c.AppID}, "client_secret": {c.Secret},
		"scope": {armResource + "//.default"},
	}
}

func (s *site) admin(t *testing.T) *auth.Credentials {
	t.Helper()
	c, err := s.directory.Admin(t.Context(), subscription)
	if err != nil || c == nil {
		t.Fatalf("the first start made %v: %v", c, err)
	}
	return c
}

func (s *site) tokenOf(t *testing.T, c *auth.Credentials) string {
	t.Helper()
	status, body := s.ask(t, "/adfs/oauth2/token", signIn(c))
	token, ok := body["access_token"].(string)
	if status != http.StatusOK || !ok {
		t.Fatalf("the token endpoint answered %d %v", status, body)
	}
	return token
}

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin := s.admin(t)
	for _, path := range []string{"/adfs/oauth2/token", "/" + tenant + "/oauth2/v2.0/token", "/" + tenant + "/oauth2/token"} {
		status, body := s.ask(t, path, signIn(admin))
		if status != http.StatusOK || body["token_type"] != "Bearer" || body["expires_in"] != 3599.0 {
			t.Fatalf("%s: %d %v", path, status, body)
		}
		p, err := s.Verify(t.Context(), body["access_token"].(string), auth.Management)
		if err != nil || p.AppID != admin.AppID {
			t.Errorf("%s: verified as %+v: %v", path, p, err)
		}
	}
	v1 := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {strings.ToUpper(admin.AppID)},
		"client_secret": {admin.Secret}, "resource": {"https://containerregistry.azure.net/"},
	}
	status, body := s.ask(t, "/"+tenant+"/oauth2/token", v1)
	if status != http.StatusOK {
		t.Fatalf("v1: %d %v", status, body)
	}
	registry := body["access_token"].(string)
	if _, err := s.Verify(t.Context(), registry, auth.Registry); err != nil {
		t.Errorf("for the registry: %v", err)
	}
	wantRefused(t, s, registry, auth.Management, "InvalidAuthenticationTokenAudience")
}

func TestTokenEndpointRefuses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin := s.admin(t)
	for name, test := range map[string]struct {
		path   string
		change func(url.Values)
		status int
		code   string
		number float64
	}{
		"a wrong secret":       {"", func(f url.Values) { f.Set("client_secret", admin.Secret+"x") }, 401, "invalid_client", 7000215},
		"no secret":            {"", func(f url.Values) { f.Del("client_secret") }, 401, "invalid_client", 7000218},
		"no client":            {"", func(f url.Values) { f.Del("client_id") }, 400, "invalid_request", 900144},
		"an unknown client":    {"", func(f url.Values) { f.Set("client_id", tenant) }, 400, "unauthorized_client", 700016},
		"an unknown service":   {"", func(f url.Values) { f.Set("scope", "https://x.example/.default") }, 400, "invalid_resource", 500011},
		"a scope of one right": {"", func(f url.Values) { f.Set("scope", armResource+"/user_impersonation") }, 400, "invalid_scope", 1002012},
		"no grant":             {"", func(f url.Values) { f.Del("grant_type") }, 400, "invalid_request", 900144},
		"a strange grant":      {"", func(f url.Values) { f.Set("grant_type", "implicit") }, 400, "unsupported_grant_type", 70003},
		"an assertion":         {"", func(f url.Values) { f.Set("client_assertion", "x") }, 401, "invalid_client", 700027},
		"another tenant":       {"/" + subscription + "/oauth2/v2.0/token", func(url.Values) {}, 400, "invalid_tenant", 90002},
		"a form that is huge":  {"", func(f url.Values) { f.Set("x", strings.Repeat("x", 70<<10)) }, 400, "invalid_request", 90014},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			form := signIn(admin)
			test.change(form)
			path := test.path
			if path == "" {
				path = "/" + tenant + "/oauth2/v2.0/token"
			}
			status, body := s.ask(t, path, form)
			codes, _ := body["error_codes"].([]any)
			if status != test.status || body["error"] != test.code || len(codes) != 1 || codes[0] != test.number {
				t.Errorf("answered %d %v", status, body)
			}
			if text, _ := body["error_description"].(string); !strings.HasPrefix(text, "AADSTS") || strings.Contains(text, admin.Secret) {
				t.Errorf("described as %q", text)
			}
			if body["access_token"] != nil {
				t.Error("a token was given out")
			}
		})
	}
}

func TestSecretsExpireAndAreReset(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin := s.admin(t)
	if again, err := s.directory.Admin(t.Context(), subscription); again != nil || err != nil {
		t.Fatalf("the second start made %v: %v", again, err)
	}
	p, err := s.store.PrincipalByAppID(t.Context(), admin.AppID)
	if err != nil {
		t.Fatal(err)
	}
	short, err := s.directory.AddSecret(t.Context(), p.ID, "short", s.clock().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	s.tokenOf(t, short)
	s.tokenOf(t, admin)
	s.pass(time.Hour)
	if status, body := s.ask(t, "/adfs/oauth2/token", signIn(short)); status != 401 || !strings.Contains(body["error_description"].(string), "AADSTS7000222") {
		t.Errorf("an expired secret: %d %v", status, body)
	}
	token := s.tokenOf(t, admin)
	fresh, err := s.directory.ResetAdmin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.tokenOf(t, fresh)
	if status, _ := s.ask(t, "/adfs/oauth2/token", signIn(admin)); status != 401 {
		t.Errorf("the secret of before the reset: %d", status)
	}
	if err := s.store.DeletePrincipal(t.Context(), p.ID); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, s, token, auth.Management, "InvalidAuthenticationToken")
}

func TestPrincipalHasBoundedSecrets(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, _, err := s.directory.Create(t.Context(), "ci")
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if _, err = s.directory.AddSecret(t.Context(), p.ID, "more", time.Time{}); err != nil {
			break
		}
	}
	if drydock.CodeOf(err) != drydock.Conflict {
		t.Errorf("the 20th secret: %v", err)
	}
}

func wantRefused(t *testing.T, s *site, token string, audience auth.Audience, code string) {
	t.Helper()
	_, err := s.Verify(t.Context(), token, audience)
	var refused *auth.TokenError
	if !errors.As(err, &refused) || refused.Code != code {
		t.Errorf("refused with %#v, want %s", err, code)
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.tokenOf(t, s.admin(t))
	parts := strings.Split(token, ".")
	enc := base64.RawURLEncoding
	header := func(alg string) string { return enc.EncodeToString([]byte(`{"alg":"` + alg + `","typ":"JWT"}`)) }
	hs := header("HS256") + "." + parts[1]
	mac := hmac.New(sha256.New, []byte("guess"))
	mac.Write([]byte(hs))
	payload, err := enc.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	forged := enc.EncodeToString([]byte(strings.Replace(string(payload), `"oid":"`, `"oid":"f`, 1)))
	for name, bad := range map[string]string{
		"nothing":           "",
		"a word":            "token",
		"no algorithm":      header("none") + "." + parts[1] + ".",
		"a shared secret":   hs + "." + enc.EncodeToString(mac.Sum(nil)),
		"a changed payload": parts[0] + "." + forged + "." + parts[2],
		"no signature":      parts[0] + "." + parts[1] + ".",
		"a long text":       strings.Repeat("a", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantRefused(t, s, bad, auth.Management, "InvalidAuthenticationToken")
		})
	}
	other := newSite(t)
	wantRefused(t, s, other.tokenOf(t, other.admin(t)), auth.Management, "InvalidAuthenticationToken")
}

func TestTokensEnd(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.tokenOf(t, s.admin(t))
	s.pass(time.Hour + 20*time.Second) // within the skew
	if _, err := s.Verify(t.Context(), token, auth.Management); err != nil {
		t.Error(err)
	}
	s.pass(time.Minute)
	wantRefused(t, s, token, auth.Management, "ExpiredAuthenticationToken")
	s.pass(-2 * time.Hour) // the clock was put back
	wantRefused(t, s, token, auth.Management, "InvalidAuthenticationToken")
}

func TestKeysOutliveRestartsAndRotation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin := s.admin(t)
	token := s.tokenOf(t, admin)
	s.load(t)
	if _, err := s.Verify(t.Context(), token, auth.Management); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	if _, err := s.keys.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.load(t)
	if _, err := s.Verify(t.Context(), token, auth.Management); err != nil {
		t.Errorf("after a rotation: %v", err)
	}
	for range 3 {
		if _, err := s.keys.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.load(t)
	wantRefused(t, s, token, auth.Management, "InvalidAuthenticationToken")
	s.tokenOf(t, admin)
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	server := httptest.NewTLSServer(s.Handler())
	t.Cleanup(server.Close)
	get := func(url string) map[string]any {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %s %v", url, answer.Status, text, err)
		}
		var v map[string]any
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, path := range []string{"/adfs", "/" + tenant + "/v2.0", "/" + tenant, "/common/v2.0"} {
		d := get(server.URL + path + "/.well-known/openid-configuration")
		for _, field := range []string{"issuer", "token_endpoint", "authorization_endpoint", "jwks_uri"} {
			if v, _ := d[field].(string); !strings.HasPrefix(v, server.URL+"/") {
				t.Errorf("%s: %s is %q", path, field, v)
			}
		}
		keys, _ := get(d["jwks_uri"].(string))["keys"].([]any)
		if len(keys) != 1 {
			t.Fatalf("%s: keys %v", path, keys)
		}
		key := keys[0].(map[string]any)
		if key["kty"] != "RSA" || key["alg"] != "RS256" || key["d"] != nil || key["p"] != nil {
			t.Errorf("%s: the published key is %v", path, key)
		}
	}
}

func TestRunTokensEndWithTheirRun(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	registry := registryID("one")
	run := drydock.RunRecord{Registry: registry, ID: "ca1", Status: drydock.RunRunning, Attempts: 1, Created: time.Now()}
	s.store.setRun(run)
	token, err := s.RunToken(run, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Verify(t.Context(), token, auth.Registry)
	if err != nil || p.Kind != drydock.RunIdentity {
		t.Fatalf("%+v: %v", p, err)
	}
	for action, want := range map[string]bool{
		auth.PullAction: true, auth.PushAction: true, auth.DeleteAction: true,
		"Microsoft.ContainerRegistry/registries/read":               false,
		"Microsoft.ContainerRegistry/registries/scheduleRun/action": false,
	} {
		if err := auth.Authorize(t.Context(), s.store, p, action, registry); (err == nil) != want {
			t.Errorf("%s: %v", action, err)
		}
	}
	if err := auth.Authorize(t.Context(), s.store, p, auth.PullAction, registryID("two")); drydock.CodeOf(err) != drydock.Denied {
		t.Errorf("in another registry: %v", err)
	}
	wantRefused(t, s, token, auth.Management, "InvalidAuthenticationTokenAudience")
	namesake := run // of a registry that was made anew
	namesake.Created = run.Created.Add(time.Nanosecond)
	s.store.setRun(namesake)
	wantRefused(t, s, token, auth.Registry, "InvalidAuthenticationToken")
	run.Attempts = 2
	s.store.setRun(run)
	wantRefused(t, s, token, auth.Registry, "InvalidAuthenticationToken")
	for _, status := range []drydock.RunStatus{drydock.RunQueued, drydock.RunSucceeded, drydock.RunCanceled, drydock.RunTimeout} {
		run.Attempts, run.Status = 1, status
		s.store.setRun(run)
		wantRefused(t, s, token, auth.Registry, "InvalidAuthenticationToken")
	}
}

func registryID(name string) drydock.ResourceID {
	return drydock.ResourceID{
		Subscription: subscription, Group: "g", Namespace: "Microsoft.ContainerRegistry",
		Types: []string{"registries"}, Names: []string{name},
	}
}

func TestRequire(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin := s.admin(t)
	token := s.tokenOf(t, admin)
	var seen string
	h := s.Require(auth.Management,
		http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			p, _ := auth.PrincipalFrom(r.Context())
			seen = p.AppID
		}),
		func(w http.ResponseWriter, _ *http.Request, e *auth.TokenError) {
			http.Error(w, e.Code, http.StatusUnauthorized)
		},
		func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		})
	for header, want := range map[string]string{
		"":                "AuthenticationFailed",
		"Basic eDp4":      "AuthenticationFailedInvalidHeader",
		"Bearer ":         "AuthenticationFailedInvalidHeader",
		"Bearer x":        "InvalidAuthenticationToken",
		"Bearer " + token: "",
		"bearer " + token: "",
	} {
		seen = ""
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, armResource+"/", nil)
		r.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := strings.TrimSpace(w.Body.String()); got != want {
			t.Errorf("%.20q: refused with %q, want %q", header, got, want)
		}
		if want == "" && seen != admin.AppID {
			t.Errorf("%.20q: the handler saw %q", header, seen)
		}
		if challenge := w.Header().Get("WWW-Authenticate"); want != "" && !strings.Contains(challenge, loginURL+"/"+tenant) {
			t.Errorf("%.20q: challenged with %q", header, challenge)
		}
	}
}

func TestClientSecretInAHeader(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin := s.admin(t)
	for name, test := range map[string]struct {
		user, password string
		status         int
	}{
		"good":         {admin.AppID, url.QueryEscape(admin.Secret), 200},
		"wrong":        {admin.AppID, "x", 401},
		"undecodable":  {admin.AppID, "%zz", 400},
		"another user": {tenant, admin.Secret, 400},
	} {
		form := url.Values{"grant_type": {"client_credentials"}, "scope": {armResource + "/.default"}}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, loginURL+"/adfs/oauth2/token", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(test.user, test.password)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != test.status {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// Two servers that start together, and one that starts again, agree.
func TestInstallationKeepsItsIDs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, id := range map[string]func() (string, error){
		"tenant":       func() (string, error) { return auth.Tenant(t.Context(), s.store, s.newID) },
		"subscription": func() (string, error) { return auth.Subscription(t.Context(), s.store, s.newID) },
	} {
		first, err := id()
		if err != nil {
			t.Fatal(err)
		}
		if second, err := id(); second != first || err != nil {
			t.Errorf("the %s is %q and then %q: %v", name, first, second, err)
		}
	}
}

// A first start that is cut off before the admin has a secret is finished by
// the next.
func TestFirstStartThatWasCutOff(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if _, err := s.store.AddSetting(t.Context(), "auth/admin", []byte(tenant)); err != nil {
		t.Fatal(err)
	}
	c, err := s.directory.Admin(t.Context(), subscription)
	if err != nil || c == nil {
		t.Fatalf("%v: %v", c, err)
	}
	s.tokenOf(t, c)
	p, err := s.store.Principal(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	if err := auth.Authorize(t.Context(), s.store, p, "anything", drydock.ResourceID{Subscription: subscription}); err != nil {
		t.Error(err)
	}
}
