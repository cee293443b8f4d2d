package auth_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
	"github.com/drydockhq/drydock/test/provider"
)

// idp is an OpenID provider that takes everybody for carol.
type idp struct{ *provider.Provider }

func startIDP(t *testing.T, now func() time.Time) *idp {
	t.Helper()
	p, err := provider.Start(now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return &idp{p}
}

func (p *idp) must(t *testing.T, other map[string]any) string {
	t.Helper()
	token, err := p.Token(other)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// withProvider starts an authority that believes an OpenID provider, and is
// reached at a URL of its own.
func withProvider(t *testing.T) (*site, *idp, *httptest.Server) {
	t.Helper()
	s := newSite(t)
	p := startIDP(t, s.clock)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.Handler().ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	s.login = server.URL
	s.provider = &auth.Provider{Title: "Example", Issuer: p.URL, ClientID: "drydock", Audiences: []string{"https://drydock"}, Client: p.Client(), Now: s.clock}
	s.load(t)
	return s, p, server
}

func TestProvidersTokens(t *testing.T) {
	t.Parallel()
	s, p, _ := withProvider(t)
	group, err := s.directory.CreateGroup(t.Context(), p.URL, "platform")
	if err != nil {
		t.Fatal(err)
	}
	scope := drydock.ResourceID{Subscription: subscription}
	if err := s.store.PutRoleAssignment(t.Context(), drydock.RoleAssignment{ID: "1", Scope: scope, Role: auth.ReaderRole, Principal: group.ID}); err != nil {
		t.Fatal(err)
	}
	for _, audience := range []string{"drydock", "https://drydock"} {
		carol, err := s.Verify(t.Context(), p.must(t, map[string]any{"aud": audience}), auth.Management)
		if err != nil {
			t.Fatal(err)
		}
		if carol.Kind != drydock.User || carol.Name != "Carol" || carol.Person.Login != "carol@example.com" || carol.Person.Issuer != p.URL {
			t.Errorf("the token is of %+v, %+v", carol, carol.Person)
		}
		rights, err := auth.RightsOf(t.Context(), s.store, carol)
		if err != nil || !rights.Allow("Microsoft.Resources/subscriptions/read", scope) || rights.Allow("Microsoft.Resources/subscriptions/write", scope) {
			t.Errorf("the rights of the group are not the person's: %v", err)
		}
	}
	outside, err := s.Verify(t.Context(), p.must(t, map[string]any{"groups": "staff"}), auth.Management)
	if err != nil {
		t.Fatal(err)
	}
	if rights, err := auth.RightsOf(t.Context(), s.store, outside); err != nil || !rights.None() {
		t.Errorf("out of the group there are rights: %v", err)
	}

	forged, err := p.Forge(nil)
	if err != nil {
		t.Fatal(err)
	}
	good := p.must(t, nil)
	parts := strings.Split(good, ".")
	for name, test := range map[string]struct{ token, code string }{
		"for another service":   {p.must(t, map[string]any{"aud": "elsewhere"}), "InvalidAuthenticationTokenAudience"},
		"that has expired":      {p.must(t, map[string]any{"exp": s.clock().Add(-time.Hour).Unix()}), "ExpiredAuthenticationToken"},
		"about nobody":          {p.must(t, map[string]any{"sub": ""}), "InvalidAuthenticationToken"},
		"of another issuer":     {p.must(t, map[string]any{"iss": "https://evil.example"}), "InvalidAuthenticationToken"},
		"that is not signed":    {unsigned(t, p.URL), "InvalidAuthenticationToken"},
		"of another's key":      {forged, "InvalidAuthenticationToken"},
		"without its signature": {parts[0] + "." + parts[1] + ".", "InvalidAuthenticationToken"},
	} {
		if _, err := s.Verify(t.Context(), test.token, auth.Management); !isRefused(err, test.code) {
			t.Errorf("a token %s: %v", name, err)
		}
	}
	disable := func(p *drydock.Principal) error { p.Person.Disabled = true; return nil }
	if err := s.directory.ChangePerson(t.Context(), outside.ID, disable); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, s, good, auth.Management, "InvalidAuthenticationToken")
}

// That somebody is written down who comes from the provider is told to the witness,
// and does not happen if that can't be noted.
func TestFirstSignInIsWitnessed(t *testing.T) {
	t.Parallel()
	s, p, _ := withProvider(t)
	var told []string
	var trouble error
	ctx := drydock.WithWitness(t.Context(), func(_ context.Context, a drydock.Act) error {
		if !a.Aside || a.Principal.ID == "" || a.Target != "/v1.0/users/"+a.Principal.ID {
			t.Errorf("the witness is told of %+v", a)
		}
		told = append(told, strings.TrimSpace(a.Principal.Name+" "+a.Action+" "+string(a.Result)))
		return trouble
	})
	comes := func(other map[string]any) error {
		_, err := s.Verify(ctx, p.must(t, other), auth.Management)
		return err
	}
	trouble = errors.New("the disk is full")
	if err := comes(nil); err == nil {
		t.Error("somebody is written down without a note")
	}
	if carol, err := s.store.PrincipalByLogin(t.Context(), "carol@example.com"); drydock.CodeOf(err) != drydock.NotFound {
		t.Errorf("there is %v: %v", carol, err)
	}
	trouble, told = nil, nil
	for _, other := range []map[string]any{nil, nil, {"name": "Caroline"}} {
		if err := comes(other); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"Carol Microsoft.Graph/users POST", "Carol Microsoft.Graph/users POST Succeeded",
		"Caroline Microsoft.Graph/users/{id} PATCH", "Caroline Microsoft.Graph/users/{id} PATCH Succeeded",
	}
	if !slices.Equal(told, want) {
		t.Errorf("the witness was told of %q, want %q", told, want)
	}
}

// Somebody at the provider who calls himself by another's name is not that one.
func TestProvidersNameIsTaken(t *testing.T) {
	t.Parallel()
	s, p, _ := withProvider(t)
	own := s.alice(t)
	impostor, err := s.Verify(t.Context(), p.must(t, map[string]any{"sub": "666", "preferred_username": alice}), auth.Management)
	if err != nil || impostor.ID == own.ID || impostor.Person.Login == alice || !strings.HasPrefix(impostor.Person.Login, alice+"#ext#") {
		t.Fatalf("the impostor is %+v: %v", impostor.Person, err)
	}
	again, err := s.Verify(t.Context(), p.must(t, map[string]any{"sub": "666", "preferred_username": alice}), auth.Management)
	if err != nil || again.Person.Login != impostor.Person.Login {
		t.Errorf("and then %+v: %v", again.Person, err)
	}
	if who, err := s.CheckPassword(t.Context(), alice, password, "192.0.2.1"); err != nil || who.ID != own.ID {
		t.Errorf("alice is %v: %v", who, err)
	}
}

// follow has a browser, with cookies, go through the provider.
func follow(t *testing.T, server *httptest.Server, p *idp, form url.Values) (*http.Response, *http.Client) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	pool := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	pool.AddCert(p.Certificate())
	client := &http.Client{Transport: server.Client().Transport, Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == "localhost:8400" {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	answer, err := client.PostForm(server.URL+"/oidc/start", form)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer, client
}

func TestSignInAtProvider(t *testing.T) {
	t.Parallel()
	s, p, server := withProvider(t)
	if _, err := s.directory.CreateGroup(t.Context(), p.URL, "staff"); err != nil {
		t.Fatal(err)
	}
	ctx := oidc.ClientContext(t.Context(), server.Client())
	issuer, err := oidc.NewProvider(ctx, server.URL+"/adfs")
	if err != nil {
		t.Fatal(err)
	}
	c := &oauth2.Config{ClientID: azureCLI, Endpoint: issuer.Endpoint(), RedirectURL: "http://localhost:8400", Scopes: []string{armResource + "/.default", "openid"}}

	// A device, whose code is entered where one can sign in elsewhere.
	device, err := c.DeviceAuth(ctx)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{server: server, client: server.Client()}
	if text := b.get(t, "/device?user_code="+device.UserCode); !strings.Contains(text, "Sign in with Example") {
		t.Errorf("the page is %s", text)
	}
	answer, _ := follow(t, server, p, url.Values{"user_code": {device.UserCode}})
	if answer.StatusCode != http.StatusOK || answer.Request.URL.Path != "/oidc/callback" {
		t.Fatalf("the way through the provider ends with %d at %s", answer.StatusCode, answer.Request.URL)
	}
	device.Interval = 1
	token, err := c.DeviceAccessToken(ctx, device)
	if err != nil {
		t.Fatal(err)
	}
	carol, err := s.Verify(t.Context(), token.AccessToken, auth.Management)
	if err != nil || carol.Person.Login != "carol@example.com" || len(carol.Groups) != 1 || carol.Groups[0] != auth.GroupID(p.URL, "staff") {
		t.Errorf("signed in as %+v: %v", carol, err)
	}

	// A client of the person's machine.
	verifier := oauth2.GenerateVerifier()
	_, query, _ := strings.Cut(c.AuthCodeURL("mine", oauth2.S256ChallengeOption(verifier)), "?")
	answer, client := follow(t, server, p, url.Values{"request": {query}})
	back, err := answer.Location()
	if err != nil || back.Query().Get("state") != "mine" {
		t.Fatalf("the way through the provider ends at %v with %d: %v", back, answer.StatusCode, err)
	}
	if token, err = c.Exchange(ctx, back.Query().Get("code"), oauth2.VerifierOption(verifier)); err != nil {
		t.Fatal(err)
	}
	renewed, err := c.TokenSource(ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	if err != nil {
		t.Fatal(err)
	}
	if who, err := s.Verify(t.Context(), renewed.AccessToken, auth.Management); err != nil || len(who.Groups) != 1 {
		t.Errorf("renewed, the token is of %+v: %v", who, err)
	}
	// The provider is asked again each working day.
	s.pass(13 * time.Hour)
	if _, err := c.TokenSource(ctx, &oauth2.Token{RefreshToken: renewed.RefreshToken}).Token(); !says(err, "AADSTS70000") {
		t.Errorf("after 13 hours: %v", err)
	}

	// What was begun in one browser is not ended in another, nor twice.
	for name, with := range map[string]*http.Client{"the same browser, again": client, "another browser": server.Client()} {
		answer, err := with.Get(server.URL + "/oidc/callback?code=c&state=" + url.QueryEscape(p.Asked().Get("state")))
		if b.read(t, answer, err); b.status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, b.status)
		}
	}
}

func TestProviderIsDown(t *testing.T) {
	t.Parallel()
	s, p, server := withProvider(t)
	p.SetDown(true)
	if _, err := s.Verify(t.Context(), p.must(t, nil), auth.Management); drydock.CodeOf(err) != drydock.Unavailable {
		t.Errorf("while the provider is down: %v", err)
	}
	own := s.admin(t)
	if _, err := s.Verify(t.Context(), s.tokenOf(t, own), auth.Management); err != nil {
		t.Errorf("own tokens: %v", err)
	}
	if answer, _ := follow(t, server, p, url.Values{"user_code": {"x"}}); answer.StatusCode != http.StatusNotFound {
		t.Errorf("a code that is wrong: %d", answer.StatusCode)
	}
	p.SetDown(false)
	s.pass(6 * time.Second)
	if _, err := s.Verify(t.Context(), p.must(t, nil), auth.Management); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}

func isRefused(err error, code string) bool {
	var refused *auth.TokenError
	return errors.As(err, &refused) && refused.Code == code
}

// unsigned returns a token that says it needs no signature.
func unsigned(t *testing.T, issuer string) string {
	t.Helper()
	claims, err := json.Marshal(map[string]any{"iss": issuer, "sub": "42", "aud": "drydock", "exp": 9e9})
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding
	return enc.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + enc.EncodeToString(claims) + "."
}
