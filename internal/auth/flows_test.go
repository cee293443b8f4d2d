package auth_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/drydockhq/drydock/internal/auth"
)

// relying is a program that lets people sign in at the authority, made of the
// libraries that many such programs are made of.
type relying struct {
	*browser
	ctx      context.Context
	provider *oidc.Provider
	config   *oauth2.Config
}

// relying returns one in a flavour: "/adfs" or "/{tenant}/v2.0".
func (s *site) relying(t *testing.T, flavour string) *relying {
	t.Helper()
	b := s.browser(t)
	ctx := oidc.ClientContext(t.Context(), b.client)
	provider, err := oidc.NewProvider(ctx, b.server.URL+flavour)
	if err != nil {
		t.Fatal(err)
	}
	endpoint := provider.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInParams
	return &relying{browser: b, ctx: ctx, provider: provider, config: &oauth2.Config{
		ClientID: azureCLI, Endpoint: endpoint, RedirectURL: "http://localhost:8400",
		Scopes: []string{armResource + "/.default", oidc.ScopeOpenID, "profile", oidc.ScopeOfflineAccess},
	}}
}

// check checks tokens as a relying party does, and renews them.
func (p *relying) check(t *testing.T, s *site, token *oauth2.Token, nonce string) {
	t.Helper()
	raw, _ := token.Extra("id_token").(string)
	clock := oidc.Config{ClientID: azureCLI, Now: s.clock}
	id, err := p.provider.Verifier(&clock).Verify(p.ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		PreferredUsername, UPN, Tid, Oid string
	}
	if err := id.Claims(&claims); err != nil || id.Nonce != nonce || claims.UPN != alice || claims.Tid != tenant || claims.Oid != id.Subject {
		t.Errorf("the id token says %+v with the nonce %q: %v", claims, id.Nonce, err)
	}
	if who, err := s.Verify(t.Context(), token.AccessToken, auth.Management); err != nil || who.ID != id.Subject {
		t.Errorf("the access token is of %v: %v", who, err)
	}
	renewed, err := p.config.TokenSource(p.ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Verify(t.Context(), renewed.AccessToken, auth.Management); err != nil {
		t.Error(err)
	}
}

func TestAuthorizationCode(t *testing.T) {
	t.Parallel()
	for _, flavour := range []string{"/adfs", "/" + tenant + "/v2.0"} {
		s := newSite(t)
		s.alice(t)
		p := s.relying(t, flavour)
		verifier := oauth2.GenerateVerifier()
		where := p.config.AuthCodeURL("a state", oauth2.S256ChallengeOption(verifier), oidc.Nonce("a nonce"), oauth2.SetAuthURLParam("login_hint", alice))
		path, query, _ := strings.Cut(strings.TrimPrefix(where, p.server.URL), "?")
		text := p.get(t, path+"?"+query)
		if p.status != http.StatusOK || !strings.Contains(text, "Azure CLI") || !strings.Contains(text, `value="`+alice+`"`) {
			t.Fatalf("the page is %d %s", p.status, text)
		}
		if csp := p.header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") || p.header.Get("Cache-Control") != "no-store" {
			t.Errorf("the page has the headers %v", p.header)
		}
		if text = p.post(t, path, url.Values{"request": {query}, "login": {alice}, "password": {"wrong horse"}}); !strings.Contains(text, "invalid username or password") {
			t.Errorf("a wrong password: %s", text)
		}
		p.post(t, path, url.Values{"request": {query}, "login": {alice}, "password": {password}})
		back, err := url.Parse(p.header.Get("Location"))
		if err != nil || p.status != http.StatusSeeOther || back.Host != "localhost:8400" || back.Query().Get("state") != "a state" {
			t.Fatalf("the page leads to %v (%d): %v", back, p.status, err)
		}
		code := back.Query().Get("code")
		token, err := p.config.Exchange(p.ctx, code, oauth2.VerifierOption(verifier))
		if err != nil {
			t.Fatal(err)
		}
		p.check(t, s, token, "a nonce")
		if _, err := p.config.Exchange(p.ctx, code, oauth2.VerifierOption(verifier)); !says(err, "AADSTS70008") {
			t.Errorf("a code for the second time: %v", err)
		}
	}
}

func says(err error, text string) bool {
	var answer *oauth2.RetrieveError
	return errors.As(err, &answer) && strings.Contains(string(answer.Body), text)
}

// code signs alice in, and returns a code.
func (p *relying) code(t *testing.T, options ...oauth2.AuthCodeOption) string {
	t.Helper()
	path, query, _ := strings.Cut(strings.TrimPrefix(p.config.AuthCodeURL("x", options...), p.server.URL), "?")
	p.post(t, path, url.Values{"request": {query}, "login": {alice}, "password": {password}})
	back, err := url.Parse(p.header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return back.Query().Get("code")
}

func TestAuthorizationCodeRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.alice(t)
	p := s.relying(t, "/adfs")
	verifier := oauth2.GenerateVerifier()
	challenge := oauth2.S256ChallengeOption(verifier)
	if _, err := p.config.Exchange(p.ctx, p.code(t, challenge), oauth2.VerifierOption(oauth2.GenerateVerifier())); !says(err, "AADSTS50148") {
		t.Errorf("another verifier: %v", err)
	}
	if _, err := p.config.Exchange(p.ctx, p.code(t, challenge)); !says(err, "AADSTS900144") {
		t.Errorf("no verifier: %v", err)
	}
	code := p.code(t, challenge)
	s.pass(6 * time.Minute)
	if _, err := p.config.Exchange(p.ctx, code, oauth2.VerifierOption(verifier)); !says(err, "AADSTS70008") {
		t.Errorf("a code that has expired: %v", err)
	}

	good := url.Values{
		"client_id": {azureCLI}, "redirect_uri": {"http://localhost:8400"}, "response_type": {"code"}, "state": {"s"},
		"code_challenge": {strings.Repeat("a", 43)}, "code_challenge_method": {"S256"}, "scope": {"openid"},
	}
	for name, test := range map[string]struct {
		key, value string
		status     int
		says       string
	}{
		"a redirection to elsewhere":  {"redirect_uri", "https://evil.example/", 400, "AADSTS|does not match"},
		"a host that looks like ours": {"redirect_uri", "http://localhost.evil.example/", 400, "does not match"},
		"a name and a host":           {"redirect_uri", "http://localhost@evil.example/", 400, "does not match"},
		"no redirection":              {"redirect_uri", "", 400, "does not match"},
		"a script":                    {"redirect_uri", "javascript:alert(1)", 400, "does not match"},
		"an unknown client":           {"client_id", tenant, 400, "was not found"},
		"a token at once":             {"response_type", "token", 303, "unsupported_response_type"},
		"no proof":                    {"code_challenge", "", 303, "Proof"},
		"a plain proof":               {"code_challenge_method", "plain", 303, "Proof"},
		"no page":                     {"prompt", "none", 303, "login_required"},
		"an unknown service":          {"scope", "https://x.example/.default", 303, "invalid_resource"},
		"a strange way back":          {"response_mode", "web_message", 400, "response_mode"},
		"a state that is huge":        {"state", strings.Repeat("x", 5000), 400, "longer"},
	} {
		form := url.Values{}
		for key, values := range good {
			form[key] = values
		}
		form.Set(test.key, test.value)
		text := p.get(t, "/adfs/oauth2/authorize?"+form.Encode())
		said, err := url.QueryUnescape(p.header.Get("Location"))
		if err != nil || p.status != test.status || !regexp.MustCompile(test.says).MatchString(text+said) {
			t.Errorf("%s: %d %s %s", name, p.status, said, text)
		}
	}
	good.Set("response_mode", "form_post")
	good.Set("prompt", "none")
	if text := p.get(t, "/adfs/oauth2/authorize?"+good.Encode()); !strings.Contains(text, `action="http://localhost:8400"`) || !strings.Contains(text, "login_required") {
		t.Errorf("the way back by a form: %s", text)
	}
}

func TestDeviceCode(t *testing.T) {
	t.Parallel()
	for _, flavour := range []string{"/adfs", "/" + tenant + "/v2.0"} {
		s := newSite(t)
		s.alice(t)
		p := s.relying(t, flavour)
		begun, err := p.config.DeviceAuth(p.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if begun.VerificationURI != p.server.URL+"/device" || begun.Interval != 5 {
			t.Errorf("the device is told %+v", begun)
		}
		poll := url.Values{"grant_type": {"device_code"}, "client_id": {azureCLI}, "device_code": {begun.DeviceCode}}
		if body := s.refuses(t, "/adfs/oauth2/token", poll, 70016); body["error"] != "authorization_pending" {
			t.Errorf("before anybody signs in: %v", body)
		}
		if body := s.refuses(t, "/adfs/oauth2/token", poll, 70016); body["error"] != "slow_down" {
			t.Errorf("at once again: %v", body)
		}
		if text := p.get(t, "/device?user_code=bcdf-ghjk"); p.status != http.StatusNotFound || !strings.Contains(text, "work") {
			t.Errorf("a wrong code: %d %s", p.status, text)
		}
		typed := strings.ToLower(strings.ReplaceAll(begun.UserCode, "-", " "))
		text := p.get(t, "/device?"+url.Values{"user_code": {typed}}.Encode())
		if p.status != http.StatusOK || !strings.Contains(text, "Azure CLI") || !strings.Contains(text, "127.0.0.1") {
			t.Errorf("the page is %d %s", p.status, text)
		}
		form := url.Values{"user_code": {begun.UserCode}, "login": {alice}, "password": {"wrong horse"}}
		if text = p.post(t, "/device", form); p.status == http.StatusOK || !strings.Contains(text, "invalid username or password") {
			t.Errorf("a wrong password: %d %s", p.status, text)
		}
		form.Set("password", password)
		if text = p.post(t, "/device", form); p.status != http.StatusOK || !strings.Contains(text, "You are signed in") {
			t.Fatalf("the right password: %d %s", p.status, text)
		}
		begun.Interval = 1
		token, err := p.config.DeviceAccessToken(p.ctx, begun)
		if err != nil {
			t.Fatal(err)
		}
		p.check(t, s, token, "")
		if body := s.refuses(t, "/adfs/oauth2/token", poll, 70020); body["error"] != "expired_token" {
			t.Errorf("once more: %v", body)
		}
		if text = p.post(t, "/device", form); p.status != http.StatusNotFound {
			t.Errorf("the code for the second time: %d %s", p.status, text)
		}
	}
}

func TestDeviceCodeRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.alice(t)
	b := s.browser(t)
	begin := func() (string, url.Values) {
		body := s.must(t, "/adfs/oauth2/devicecode", url.Values{"client_id": {azureCLI}, "scope": {armResource + "/.default"}})
		return body["user_code"].(string), url.Values{
			"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {azureCLI}, "device_code": {body["device_code"].(string)},
		}
	}
	code, poll := begin()
	b.post(t, "/device", url.Values{"user_code": {code}, "do": {"refuse"}})
	if body := s.refuses(t, "/adfs/oauth2/token", poll, 65004); body["error"] != "access_denied" {
		t.Errorf("a person that did not ask: %v", body)
	}
	code, poll = begin()
	poll.Set("client_id", "1950a258-227b-4e31-a9cf-717495945fc2")
	s.refuses(t, "/adfs/oauth2/token", poll, 700005)
	poll.Set("client_id", azureCLI)
	s.pass(16 * time.Minute)
	s.refuses(t, "/adfs/oauth2/token", poll, 70020)
	if b.get(t, "/device?user_code="+code); b.status != http.StatusNotFound {
		t.Errorf("a code that has expired: %d", b.status)
	}
	s.refuses(t, "/adfs/oauth2/devicecode", url.Values{"client_id": {tenant}}, 700016)
	// Guessing codes is slowed down.
	for range 11 {
		b.get(t, "/device?user_code=BCDF-GHJK")
	}
	if b.status != http.StatusTooManyRequests {
		t.Errorf("after many wrong codes: %d", b.status)
	}
	// One address can't fill the memory.
	var status int
	for range 60 {
		status, _ = s.ask(t, "/adfs/oauth2/devicecode", url.Values{"client_id": {azureCLI}})
	}
	if status != http.StatusTooManyRequests {
		t.Errorf("the sixtieth device of one address: %d", status)
	}
}

// Another site can't have the browser of somebody send these forms.
func TestPagesKeepOthersOut(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser(t)
	for _, path := range []string{"/device", "/adfs/oauth2/authorize", "/" + tenant + "/oauth2/v2.0/authorize", "/password", "/oidc/start"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.server.URL+path, strings.NewReader("user_code=x"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		answer, err := b.client.Do(r)
		if b.read(t, answer, err); b.status != http.StatusForbidden {
			t.Errorf("%s from another site: %d", path, b.status)
		}
	}
}
