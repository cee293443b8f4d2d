package compat_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/drydockhq/drydock/test/serve"
)

const (
	azureCLI      = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	alicesLogin   = "alice@drydock.test"
	alicePassword = "correct horse"
)

// people is a server with a user who may read everything, on a machine that finds
// it by name.
type people struct {
	*serve.Server
	machine *serve.Machine
	admin   *serve.Client
	http    *http.Client
}

func newPeople(t *testing.T, machine *serve.Machine, domain string, args ...string) *people {
	t.Helper()
	p := &people{machine: machine}
	p.Server = serve.Start(t, serve.Options{Domain: domain, Machine: machine, Args: append([]string{"--manage-hosts"}, args...)})
	p.admin = p.Client(serve.Client{Machine: machine})
	p.http = p.HTTP()
	return p
}

// withAlice makes the user.
func (p *people) withAlice() {
	p.admin.Must("ad", "user", "create", "--display-name", "Alice", "--user-principal-name", alicesLogin, "--password", alicePassword)
	p.admin.Must("role", "assignment", "create", "--assignee", alicesLogin, "--role", "Reader", "--scope", p.subscription())
}

func (p *people) subscription() string {
	return "/subscriptions/" + strings.TrimSpace(p.admin.Must("account", "show", "--query", "id", "-o", "tsv"))
}

// People sign in with Microsoft's libraries, and with those that OpenID's relying
// parties are made of; another server believes this one.
func TestPeople(t *testing.T) {
	t.Parallel()
	machine := serve.NewMachine(t)
	p := newPeople(t, machine, "one."+serve.LocalDomain)
	p.withAlice()
	for flavour, tenant := range map[string]string{"adfs": "adfs", "tenant": p.Tenant, "organizations": "organizations"} {
		t.Run("azidentity with a device code, "+flavour, func(t *testing.T) { azidentityDevice(t, p, tenant) })
		t.Run("msal, "+flavour, func(t *testing.T) { msal(t, p, tenant) })
	}
	for _, issuer := range []string{"/adfs", "/" + p.Tenant + "/v2.0"} {
		t.Run("oauth2 and go-oidc at "+issuer, func(t *testing.T) { relyingParty(t, p, issuer) })
	}
	t.Run("forged tokens", func(t *testing.T) { forgedTokens(t, p) })
	t.Run("another server", func(t *testing.T) { anotherServer(t, p) })
}

// reads reports what the resource manager answers to somebody with a token.
func (p *people) reads(t *testing.T, token string) (status int, text string) {
	t.Helper()
	r := must(http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+p.Host("management")+"/subscriptions?api-version=2022-12-01", nil))(t)
	r.Header.Set("Authorization", "Bearer "+token)
	answer := must(p.http.Do(r))(t)
	defer answer.Body.Close()
	return answer.StatusCode, string(must(io.ReadAll(answer.Body))(t))
}

func (p *people) mustRead(t *testing.T, token string) {
	t.Helper()
	if status, text := p.reads(t, token); status != http.StatusOK || !strings.Contains(text, p.subscription()) {
		t.Errorf("the resource manager answers %d %s", status, text)
	}
}

// scope is what tokens for the resource manager are asked for by.
func (p *people) scope() string { return "https://" + p.Host("management") + "/.default" }

// enters does what a person does to whom a code is shown.
func (p *people) enters(t *testing.T, code string) {
	t.Helper()
	if text, err := p.post("https://"+p.Host("login")+"/device", url.Values{"user_code": {code}, "login": {alicesLogin}, "password": {alicePassword}}); err != nil {
		t.Errorf("the page for the code answers %s: %v", text, err)
	}
}

func azidentityDevice(t *testing.T, p *people, tenant string) {
	options := p.On(t).ClientOptions()
	credential := must(azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
		ClientOptions: options, TenantID: tenant, DisableInstanceDiscovery: true,
		UserPrompt: func(_ context.Context, m azidentity.DeviceCodeMessage) error {
			if m.VerificationURL != "https://"+p.Host("login")+"/device" || !strings.Contains(m.Message, m.UserCode) {
				t.Errorf("the person is told %+v", m)
			}
			p.enters(t, m.UserCode)
			return nil
		},
	}))(t)
	token := must(credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{p.scope()}}))(t)
	p.mustRead(t, token.Token)
}

func byPassword(t *testing.T, client public.Client, password string, scopes ...string) (public.AuthResult, error) {
	t.Helper()
	//lint:ignore SA1019 people use it all the same
	return client.AcquireTokenByUsernamePassword(t.Context(), scopes, alicesLogin, password)
}

func msal(t *testing.T, p *people, tenant string) {
	client := must(public.New(azureCLI, public.WithAuthority("https://"+p.Host("login")+"/"+tenant), public.WithHTTPClient(p.http), public.WithInstanceDiscovery(false)))(t)
	scopes := []string{p.scope()}
	if _, err := byPassword(t, client, "wrong", scopes...); err == nil || !strings.Contains(err.Error(), "AADSTS50126") {
		t.Errorf("a wrong password: %v", err)
	}
	signedIn := must(byPassword(t, client, alicePassword, scopes...))(t)
	if signedIn.Account.PreferredUsername != alicesLogin || signedIn.IDToken.Name != "Alice" {
		t.Errorf("signed in as %+v", signedIn.Account)
	}
	p.mustRead(t, signedIn.AccessToken)
	// A token for another service, with what was kept of the sign-in.
	other := must(client.AcquireTokenSilent(t.Context(), []string{"https://" + p.Host("graph") + "/.default"}, public.WithSilentAccount(signedIn.Account)))(t)
	if other.AccessToken == signedIn.AccessToken {
		t.Error("one token is for all services")
	}
	if status, text := p.reads(t, other.AccessToken); status != http.StatusUnauthorized || !strings.Contains(text, "InvalidAuthenticationTokenAudience") {
		t.Errorf("a token for the directory is answered with %d %s", status, text)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	inBrowser := must(client.AcquireTokenInteractive(ctx, scopes, public.WithLoginHint(alicesLogin), public.WithOpenURL(func(where string) error {
		go p.browse(t, where)
		return nil
	})))(t)
	p.mustRead(t, inBrowser.AccessToken)
}

// What the page has that brings the answer to a client by a form.
var (
	backForm   = regexp.MustCompile(`<form method="post" action="([^"]+)" id="back">`)
	backFields = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)
)

// browse does what a person and the browser do that a client has opened: sign in,
// and bring the answer to where the client waits.
func (p *people) browse(t *testing.T, where string) {
	page, query, _ := strings.Cut(where, "?")
	text, err := p.post(page, url.Values{"request": {query}, "login": {alicesLogin}, "password": {alicePassword}})
	form := backForm.FindStringSubmatch(text)
	if err != nil || form == nil || !strings.HasPrefix(form[1], "http://localhost:") {
		t.Errorf("the page leads to nowhere: %s: %v", text, err)
		return
	}
	answer := url.Values{}
	for _, field := range backFields.FindAllStringSubmatch(text, -1) {
		answer.Set(field[1], html.UnescapeString(field[2]))
	}
	if text, err = p.post(form[1], answer); err != nil {
		t.Errorf("the client says %s: %v", text, err)
	}
}

// post sends a form and returns what is answered.
func (p *people) post(where string, form url.Values) (string, error) {
	answer, err := p.http.PostForm(where, form)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = errors.New(answer.Status)
	}
	return string(text), err
}

func relyingParty(t *testing.T, p *people, issuer string) {
	ctx := oidc.ClientContext(t.Context(), p.http)
	provider := must(oidc.NewProvider(ctx, "https://"+p.Host("login")+issuer))(t)
	c := &oauth2.Config{ClientID: azureCLI, Endpoint: provider.Endpoint(), RedirectURL: "http://127.0.0.1:1/", Scopes: []string{oidc.ScopeOpenID, "profile", p.scope()}}
	verifier := oauth2.GenerateVerifier()
	page, query, _ := strings.Cut(c.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier), oidc.Nonce("n")), "?")
	stay := *p.http
	stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer := must(stay.PostForm(page, url.Values{"request": {query}, "login": {alicesLogin}, "password": {alicePassword}}))(t)
	defer answer.Body.Close()
	back := must(answer.Location())(t)
	token := must(c.Exchange(ctx, back.Query().Get("code"), oauth2.VerifierOption(verifier)))(t)
	raw, _ := token.Extra("id_token").(string)
	id := must(provider.Verifier(&oidc.Config{ClientID: azureCLI}).Verify(ctx, raw))(t)
	if id.Nonce != "n" {
		t.Errorf("the id token is %+v", id)
	}
	p.mustRead(t, token.AccessToken)
	p.mustRead(t, must(c.TokenSource(ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token())(t).AccessToken)

	c.Scopes = []string{oidc.ScopeOpenID}
	device := must(c.DeviceAuth(ctx))(t)
	p.enters(t, device.UserCode)
	device.Interval = 1
	token = must(c.DeviceAccessToken(ctx, device))(t)
	who := must(provider.UserInfo(ctx, oauth2.StaticTokenSource(token)))(t)
	if who.Subject != id.Subject || who.Email != alicesLogin {
		t.Errorf("the provider says that the token is of %+v", who)
	}
}

func forgedTokens(t *testing.T, p *people) {
	good := must(p.On(t).Admin().GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{p.scope()}}))(t).Token
	if status, text := p.reads(t, good); status != http.StatusOK {
		t.Fatalf("a good token: %d %s", status, text)
	}
	parts := strings.Split(good, ".")
	encode := base64.RawURLEncoding.EncodeToString
	var claims map[string]any
	if err := json.Unmarshal(must(base64.RawURLEncoding.DecodeString(parts[1]))(t), &claims); err != nil {
		t.Fatal(err)
	}
	claims["exp"] = 9e9
	longer := encode(must(json.Marshal(claims))(t))
	none := encode([]byte(`{"alg":"none","typ":"JWT"}`))
	for name, token := range map[string]string{
		"without a signature": none + "." + parts[1] + ".",
		"that lives longer":   parts[0] + "." + longer + "." + parts[2],
		"of another's key":    parts[0] + "." + parts[1] + "." + encode(make([]byte, 256)),
		"that is no token":    "x", "that is huge": strings.Repeat("x", 100_000),
	} {
		if status, text := p.reads(t, token); status != http.StatusUnauthorized || !strings.Contains(text, "InvalidAuthenticationToken") {
			t.Errorf("a token %s is answered with %d %s", name, status, text)
		}
	}
}

// anotherServer starts a server that believes the first one.
func anotherServer(t *testing.T, p *people) {
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, p.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	second := newPeople(t, p.machine, "two."+serve.LocalDomain, "--oidc-ca="+ca,
		"--oidc-issuer=https://"+p.Host("login")+"/"+p.Tenant+"/v2.0", "--oidc-audiences=https://"+p.Host("management"))
	client := must(public.New(azureCLI, public.WithAuthority("https://"+p.Host("login")+"/"+p.Tenant), public.WithHTTPClient(p.http), public.WithInstanceDiscovery(false)))(t)
	alice := must(byPassword(t, client, alicePassword, p.scope()))(t).AccessToken
	if status, text := second.reads(t, alice); status != http.StatusOK || strings.Contains(text, second.subscription()) {
		t.Errorf("before alice has a role there: %d %s", status, text)
	}
	if out := second.admin.Must("ad", "user", "list", "--query", "[].[userPrincipalName, userType]", "-o", "tsv"); out != alicesLogin+"\tGuest\n" {
		t.Errorf("the users there are %s", out)
	}
	second.admin.Must("role", "assignment", "create", "--assignee", alicesLogin, "--role", "Reader", "--scope", second.subscription())
	second.mustRead(t, alice)
	other := must(byPassword(t, client, alicePassword, "https://"+p.Host("graph")+"/.default"))(t).AccessToken
	if status, text := second.reads(t, other); status != http.StatusUnauthorized || !strings.Contains(text, "InvalidAuthenticationTokenAudience") {
		t.Errorf("a token for something else: %d %s", status, text)
	}
	second.admin.Must("ad", "user", "update", "--id", alicesLogin, "--account-enabled", "false")
	if status, _ := second.reads(t, alice); status != http.StatusUnauthorized {
		t.Errorf("who is disabled there: %d", status)
	}
}
