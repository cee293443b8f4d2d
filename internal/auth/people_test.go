package auth_test

import (
	"context"
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

const (
	azureCLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	password = "correct horse"
	alice    = "alice@drydock.test"
)

func (s *site) alice(t *testing.T) drydock.Principal {
	t.Helper()
	p, err := s.directory.CreatePerson(t.Context(), auth.NewPerson{Name: "Alice", Login: "Alice@Drydock.test", Password: password})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func withPassword(change ...string) url.Values {
	form := url.Values{
		"grant_type": {"password"}, "client_id": {azureCLI}, "username": {alice}, "password": {password},
		"scope": {armResource + "//.default openid profile offline_access"}, "client_info": {"1"},
	}
	for i := 0; i+1 < len(change); i += 2 {
		form.Set(change[i], change[i+1])
	}
	return form
}

func renew(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "client_id": {azureCLI}, "refresh_token": {token}, "scope": {armResource + "/.default"}}
}

// must asks for tokens and expects them.
func (s *site) must(t *testing.T, path string, form url.Values) map[string]any {
	t.Helper()
	status, body := s.ask(t, path, form)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %v", form.Get("grant_type"), status, body)
	}
	return body
}

// refuses asks for tokens and expects an error.
func (s *site) refuses(t *testing.T, path string, form url.Values, number float64) map[string]any {
	t.Helper()
	status, body := s.ask(t, path, form)
	codes, _ := body["error_codes"].([]any)
	if status < 400 || status >= 500 || len(codes) != 1 || codes[0] != number {
		t.Errorf("%s: %d %v, not error %v", form.Get("grant_type"), status, body, number)
	}
	return body
}

func TestPassword(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.alice(t)
	for _, path := range []string{"/adfs/oauth2/token", "/" + tenant + "/oauth2/v2.0/token", "/organizations/oauth2/v2.0/token", "/common/oauth2/token"} {
		body := s.must(t, path, withPassword())
		access, _ := body["access_token"].(string)
		who, err := s.Verify(t.Context(), access, auth.Management)
		if err != nil || who.ID != p.ID || who.Person == nil || who.Person.Login != alice {
			t.Errorf("%s: verified as %+v: %v", path, who, err)
		}
		for _, name := range []string{"id_token", "refresh_token", "client_info"} {
			if text, _ := body[name].(string); text == "" {
				t.Errorf("%s: there is no %s", path, name)
			}
		}
		// Neither is good where an access token is needed.
		for _, name := range []string{"id_token", "refresh_token"} {
			for _, audience := range []auth.Audience{auth.Management, auth.Registry} {
				if _, err := s.Verify(t.Context(), body[name].(string), audience); err == nil {
					t.Errorf("%s: the %s is taken for an access token", path, name)
				}
			}
		}
	}
	for name, test := range map[string]struct {
		form   url.Values
		number float64
	}{
		"a wrong password":     {withPassword("password", "wrong horse"), 50126},
		"an unknown name":      {withPassword("username", "bob@drydock.test"), 50126},
		"no password":          {withPassword("password", ""), 900144},
		"an unknown client":    {withPassword("client_id", tenant), 700016},
		"an unknown service":   {withPassword("scope", "https://x.example/.default"), 500011},
		"a password that long": {withPassword("password", strings.Repeat("x", 5000)), 50126},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.refuses(t, "/adfs/oauth2/token", test.form, test.number)
		})
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.alice(t)
	first := s.must(t, "/adfs/oauth2/token", withPassword())["refresh_token"].(string)
	s.pass(2 * time.Hour)
	again := s.must(t, "/adfs/oauth2/token", renew(first))
	if _, err := s.Verify(t.Context(), again["access_token"].(string), auth.Management); err != nil {
		t.Error(err)
	}
	// Another service, with one and the same.
	form := renew(first)
	form.Set("scope", "https://containerregistry.azure.net/.default")
	other := s.must(t, "/"+tenant+"/oauth2/v2.0/token", form)
	if _, err := s.Verify(t.Context(), other["access_token"].(string), auth.Registry); err != nil {
		t.Error(err)
	}
	// The same service, without naming it. RFC 6749 §6.
	form = renew(other["refresh_token"].(string))
	form.Del("scope")
	unnamed := s.must(t, "/adfs/oauth2/token", form)
	if _, err := s.Verify(t.Context(), unnamed["access_token"].(string), auth.Registry); err != nil {
		t.Error(err)
	}

	access := again["access_token"].(string)
	for name, text := range map[string]string{
		"an access token": access, "nothing like it": "x", "one that was changed": first[:len(first)-8] + "AAAAAAAA",
		"the id token": s.must(t, "/adfs/oauth2/token", withPassword())["id_token"].(string),
	} {
		if body := s.refuses(t, "/adfs/oauth2/token", renew(text), 70000); body["error"] != "invalid_grant" {
			t.Errorf("%s: %v", name, body)
		}
	}
	form = renew(first)
	form.Set("client_id", "1950a258-227b-4e31-a9cf-717495945fc2")
	s.refuses(t, "/adfs/oauth2/token", form, 700005)

	if err := s.directory.SetPassword(t.Context(), p.ID, "another battery", false); err != nil {
		t.Fatal(err)
	}
	s.refuses(t, "/adfs/oauth2/token", renew(first), 50173)
	second := s.must(t, "/adfs/oauth2/token", withPassword("password", "another battery"))["refresh_token"].(string)
	if err := s.directory.EndSessions(t.Context(), p.ID); err != nil {
		t.Fatal(err)
	}
	s.refuses(t, "/adfs/oauth2/token", renew(second), 50173)

	third := s.must(t, "/adfs/oauth2/token", withPassword("password", "another battery"))
	disable := func(p *drydock.Principal) error { p.Person.Disabled = true; return nil }
	if err := s.directory.ChangePerson(t.Context(), p.ID, disable); err != nil {
		t.Fatal(err)
	}
	s.refuses(t, "/adfs/oauth2/token", renew(third["refresh_token"].(string)), 50057)
	s.refuses(t, "/adfs/oauth2/token", withPassword("password", "another battery"), 50057)
	wantRefused(t, s, third["access_token"].(string), auth.Management, "InvalidAuthenticationToken")
	if err := s.directory.DeletePerson(t.Context(), p.ID); err != nil {
		t.Fatal(err)
	}
	s.refuses(t, "/adfs/oauth2/token", renew(third["refresh_token"].(string)), 50034)
	wantRefused(t, s, third["access_token"].(string), auth.Management, "InvalidAuthenticationToken")
}

func TestRefreshEnds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.alice(t)
	token := s.must(t, "/adfs/oauth2/token", withPassword())["refresh_token"].(string)
	s.pass(91 * 24 * time.Hour)
	s.refuses(t, "/adfs/oauth2/token", renew(token), 70000)
}

func TestPasswordIsLocked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.alice(t)
	for range 10 {
		s.refuses(t, "/adfs/oauth2/token", withPassword("password", "wrong horse"), 50126)
	}
	s.refuses(t, "/adfs/oauth2/token", withPassword(), 50053)
	if _, err := s.CheckPassword(t.Context(), alice, password, "198.51.100.7"); err != nil {
		t.Errorf("who guesses locks others out: %v", err)
	}
	s.pass(61 * time.Second)
	s.must(t, "/adfs/oauth2/token", withPassword())
}

func TestNewPerson(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.alice(t)
	good := auth.NewPerson{Name: "Bob", Login: "bob@drydock.test", Password: "long enough"}
	for name, test := range map[string]struct {
		change func(*auth.NewPerson)
		code   drydock.Code
	}{
		"a login without a domain":  {func(n *auth.NewPerson) { n.Login = "bob" }, drydock.Invalid},
		"a login of two lines":      {func(n *auth.NewPerson) { n.Login = "bob@x\n.test" }, drydock.Invalid},
		"a login that is taken":     {func(n *auth.NewPerson) { n.Login = "ALICE@drydock.test" }, drydock.Conflict},
		"no name":                   {func(n *auth.NewPerson) { n.Name = " " }, drydock.Invalid},
		"a short password":          {func(n *auth.NewPerson) { n.Password = "seven77" }, drydock.Invalid},
		"no password":               {func(n *auth.NewPerson) { n.Password = "" }, drydock.Invalid},
		"the same letter":           {func(n *auth.NewPerson) { n.Password = "aaaaaaaaaa" }, drydock.Invalid},
		"the login in the password": {func(n *auth.NewPerson) { n.Login, n.Password = "robert@x.test", "Robert2026" }, drydock.Invalid},
		"a password that is huge":   {func(n *auth.NewPerson) { n.Password = strings.Repeat("ab", 600) }, drydock.Invalid},
	} {
		n := good
		test.change(&n)
		if _, err := s.directory.CreatePerson(t.Context(), n); drydock.CodeOf(err) != test.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	n := good
	n.MustChange = true
	if _, err := s.directory.CreatePerson(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CheckPassword(t.Context(), n.Login, n.Password, "192.0.2.1"); !errors.Is(err, auth.ErrMustChange) {
		t.Errorf("a password that has to be changed: %v", err)
	}
	s.refuses(t, "/adfs/oauth2/token", withPassword("username", n.Login, "password", n.Password), 50055)

	b := s.browser(t)
	page := b.post(t, "/password", url.Values{"login": {n.Login}, "password": {n.Password}, "new": {"quite another"}, "again": {"quite other"}})
	if !strings.Contains(page, "differ") {
		t.Errorf("two new passwords: %s", page)
	}
	if page = b.post(t, "/password", url.Values{"login": {n.Login}, "password": {n.Password}, "new": {"quite another"}, "again": {"quite another"}}); !strings.Contains(page, "is changed") {
		t.Errorf("changing the password: %s", page)
	}
	if _, err := s.CheckPassword(t.Context(), n.Login, "quite another", "192.0.2.1"); err != nil {
		t.Error(err)
	}
}

// A password that somebody changes on the page is told to the witness, and is left
// as it was if that can't be noted.
func TestChangedPasswordsAreWitnessed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := auth.NewPerson{Name: "Alice", Login: "alice@drydock.test", Password: "correct horse"}
	alice, err := s.directory.CreatePerson(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	var acts []drydock.Act
	var trouble error
	handler := s.Handler()
	change := func(old, fresh string) int {
		form := url.Values{"login": {n.Login}, "password": {old}, "new": {fresh}, "again": {fresh}}
		r := httptest.NewRequestWithContext(drydock.WithWitness(t.Context(), func(_ context.Context, a drydock.Act) error {
			acts = append(acts, a)
			return trouble
		}), http.MethodPost, "/password", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	trouble = errors.New("the disk is full")
	if status := change(n.Password, "quite another"); status != http.StatusServiceUnavailable {
		t.Errorf("without a note the answer is %d", status)
	}
	trouble = nil
	if status := change(n.Password, "quite another"); status != http.StatusOK {
		t.Errorf("the answer is %d", status)
	}
	if len(acts) != 2 || acts[1].Principal.ID != alice.ID || !strings.Contains(acts[1].Action, "changePassword") || !strings.HasSuffix(acts[1].Target, alice.ID) {
		t.Errorf("the witness was told of %+v", acts)
	}
}

// browser is a browser without scripts, on the authority's pages.
type browser struct {
	server *httptest.Server
	client *http.Client
	status int
	header http.Header
}

func (s *site) browser(t *testing.T) *browser {
	t.Helper()
	server := httptest.NewTLSServer(s.Handler())
	t.Cleanup(server.Close)
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{server: server, client: client}
}

func (b *browser) get(t *testing.T, path string) string {
	t.Helper()
	answer, err := b.client.Get(b.server.URL + path)
	return b.read(t, answer, err)
}

func (b *browser) post(t *testing.T, path string, form url.Values) string {
	t.Helper()
	answer, err := b.client.PostForm(b.server.URL+path, form)
	return b.read(t, answer, err)
}

func (b *browser) read(t *testing.T, answer *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	b.status, b.header = answer.StatusCode, answer.Header
	return string(text)
}
