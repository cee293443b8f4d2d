package vault_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/vault"
	"github.com/drydockhq/drydock/internal/vault/vaulttest"
)

// sourceTests are what is asked of sources: a name and a version, and the value
// or the code of the error.
type sourceTest struct {
	name, version, value string
	code                 drydock.Code
}

func checkSource(t *testing.T, s vault.Source, tests ...sourceTest) {
	t.Helper()
	for _, test := range tests {
		got, err := s.Secret(t.Context(), test.name, test.version)
		if got != test.value || drydock.CodeOf(err) != test.code {
			t.Errorf("%s/%s: %q, %v", test.name, test.version, got, err)
		}
	}
}

func open(t *testing.T, text string, environ ...string) vault.Source {
	t.Helper()
	s, err := vault.OpenSource(text, environ)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestHashiCorpVault(t *testing.T) {
	t.Parallel()
	at := "hashivault+" + vaulttest.NewHashiCorp(t).URL
	checkSource(t, open(t, at+"/secret/ci?namespace=team", "VAULT_TOKEN=good"),
		sourceTest{name: "token", value: "new"}, sourceTest{name: "token", version: "1", value: "old"},
		sourceTest{name: "token", version: "one", code: drydock.NotFound}, sourceTest{name: "token", version: "9", code: drydock.NotFound},
		sourceTest{name: "deleted", code: drydock.NotFound}, sourceTest{name: "none", code: drydock.NotFound})
	checkSource(t, open(t, at+"/secret/ci?namespace=team&field=user", "VAULT_TOKEN=good"), sourceTest{name: "token", value: "me"})
	checkSource(t, open(t, at+"/secret/ci?namespace=team&field=number", "VAULT_TOKEN=good"), sourceTest{name: "token", code: drydock.NotFound})
	checkSource(t, open(t, at+"/old?namespace=team&kv=1", "VAULT_TOKEN=good"),
		sourceTest{name: "token", value: "of old"}, sourceTest{name: "token", version: "1", code: drydock.NotFound})
	checkSource(t, open(t, at+"/secret/ci?namespace=team", "VAULT_TOKEN=bad"), sourceTest{name: "token", code: drydock.Unavailable})
	// The token is read for each secret.
	file := filepath.Join(t.TempDir(), "token")
	s := open(t, at+"/secret/ci?namespace=team&token-file="+url.QueryEscape(file))
	checkSource(t, s, sourceTest{name: "token", code: drydock.Unavailable})
	if err := os.WriteFile(file, []byte("good\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	checkSource(t, s, sourceTest{name: "token", value: "new"})
}

func TestHashiCorpVaultAway(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err = open(t, "hashivault+http://"+l.Addr().String()+"/secret", "VAULT_TOKEN=good").Secret(ctx, "token", "")
	if drydock.CodeOf(err) != drydock.Unavailable || strings.Contains(err.Error(), "good") {
		t.Error(err)
	}
}

func TestEnvironmentAndFiles(t *testing.T) {
	t.Parallel()
	checkSource(t, open(t, "env:CI_", "CI_DOCKER_PASSWORD=pw", "HOME=/root", "CI_EMPTY="),
		sourceTest{name: "docker-password", value: "pw"}, sourceTest{name: "Docker-Password", value: "pw"}, sourceTest{name: "empty"},
		sourceTest{name: "home", code: drydock.NotFound}, sourceTest{name: "docker-password", version: "1", code: drydock.NotFound})
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside")
	for name, text := range map[string]string{filepath.Join(dir, "a"): "pw\r\n", filepath.Join(dir, "b"): "two\n\n", filepath.Join(dir, "long"): strings.Repeat("x", 25<<10+1), outside: "secret"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	checkSource(t, open(t, "file://"+dir), sourceTest{name: "a", value: "pw"}, sourceTest{name: "b", value: "two\n"},
		sourceTest{name: "c", code: drydock.NotFound}, sourceTest{name: "long", code: drydock.Invalid}, sourceTest{name: "link", code: drydock.Unavailable},
		sourceTest{name: "a", version: "1", code: drydock.NotFound})
	checkSource(t, open(t, "file:///none/at/all"), sourceTest{name: "a", code: drydock.Unavailable})
}

func TestOpenSourceRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "env:", "env:lower", "file://host/x", "file:relative", "https://h/x", "hashivault+https://h", "hashivault+https:///m",
		"hashivault+https://h/m?token=secret", "hashivault+https://h/m?kv=3", "hashivault+https://u:pw@h/m",
	} {
		if _, err := vault.OpenSource(text, []string{"VAULT_TOKEN=t"}); drydock.CodeOf(err) != drydock.Invalid || strings.Contains(err.Error(), "pw") || strings.Contains(err.Error(), "=secret") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := vault.OpenSource("hashivault+https://h/m", nil); drydock.CodeOf(err) != drydock.Invalid {
		t.Error("no token: ", err)
	}
}

// A vault whose secrets are elsewhere is read by its own policies, and can't be
// written.
func TestVaultWithStoreElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Sources = map[string]vault.Source{"box": open(t, "env:CI_", "CI_TOKEN=pw")}
	w.Service = vault.NewService(w.config)
	if got, err := w.Secret(t.Context(), ann, "https://box.vault.azure.net/secrets/token"); err != nil || got != "pw" {
		t.Error(got, err)
	}
	if _, err := w.Secret(t.Context(), bob, "https://box.vault.azure.net/secrets/token"); drydock.CodeOf(err) != drydock.Denied {
		t.Error(err)
	}
	if _, err := w.Secret(t.Context(), ann, "https://box.vault.azure.net/secrets/none"); drydock.CodeOf(err) != drydock.NotFound {
		t.Error(err)
	}
	for operation, do := range w.operations(t, as(ann)) {
		if err := do(); operation != "get" && err == nil {
			t.Errorf("%s succeeded", operation)
		}
	}
}

// staticToken is a credential that gives one token and notes what for.
type staticToken struct{ scopes *[]string }

func (s staticToken) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	*s.scopes = append(*s.scopes, o.Scopes...)
	return azcore.AccessToken{Token: "of the server", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// toServer sends requests for whatever host to one server.
type toServer struct {
	server *httptest.Server
	hosts  *[]string
}

func (d toServer) Do(r *http.Request) (*http.Response, error) {
	*d.hosts = append(*d.hosts, r.URL.Host)
	r = r.Clone(r.Context())
	r.Host = r.URL.Host
	r.URL.Host = strings.TrimPrefix(d.server.URL, "https://")
	return d.server.Client().Do(r)
}

// Azure's own vaults are asked as the server, by a stand-in that answers as Key
// Vault's documentation has it, for vaults that are not here.
func TestAzureVaults(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, resource, _ := strings.Cut(r.Host, ".")
		switch {
		case r.Header.Get("Authorization") != "Bearer of the server":
			w.Header().Set("WWW-Authenticate", `Bearer authorization="https://login.example/`+tenant+`", resource="https://`+resource+`"`)
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/secrets/token/" || r.URL.Path == "/secrets/token/0123456789abcdef0123456789abcdef":
			json.NewEncoder(w).Encode(map[string]any{"value": "from Azure " + r.URL.Path[len("/secrets/token/"):], "id": "https://" + r.Host + "/secrets/token/1", "attributes": map[string]any{"enabled": true}})
		case r.URL.Path == "/secrets/closed/":
			w.WriteHeader(http.StatusForbidden)
			json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": "Forbidden", "message": "no"}})
		default:
			w.WriteHeader(http.StatusNotFound)
			json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": "SecretNotFound", "message": "none"}})
		}
	}))
	t.Cleanup(s.Close)
	w := newWorld(t)
	var hosts, scopes []string
	w.config.Azure = &vault.Azure{
		Options: policy.ClientOptions{Transport: toServer{s, &hosts}, Retry: policy.RetryOptions{MaxRetries: -1}},
		SignIn:  func(azcore.ClientOptions) (azcore.TokenCredential, error) { return staticToken{&scopes}, nil },
	}
	w.Service = vault.NewService(w.config)
	w.set(t, "token", "from here")
	for url, want := range map[string]sourceTest{
		"https://box.vault.azure.cn/secrets/token":                                      {value: "from here"},
		"https://theirs.vault.azure.cn/secrets/token":                                   {value: "from Azure "},
		"https://theirs.vault.azure.net/secrets/token/0123456789abcdef0123456789abcdef": {value: "from Azure 0123456789abcdef0123456789abcdef"},
		"https://theirs.vault.azure.net/secrets/none":                                   {code: drydock.NotFound},
		"https://theirs.vault.azure.net/secrets/closed":                                 {code: drydock.Unavailable},
		"https://theirs.vault.drydock.test:8443/secrets/token":                          {code: drydock.NotFound},
	} {
		got, err := w.Secret(t.Context(), ann, url)
		if got != want.value || drydock.CodeOf(err) != want.code {
			t.Errorf("%s: %q, %v", url, got, err)
		}
	}
	for _, host := range hosts {
		if !strings.HasPrefix(host, "theirs.vault.azure.") {
			t.Errorf("%s was asked", host)
		}
	}
	for _, scope := range scopes {
		if scope != "https://vault.azure.cn/.default" && scope != "https://vault.azure.net/.default" {
			t.Errorf("a token for %s was asked for", scope)
		}
	}
	found := false
	for _, r := range w.audit {
		found = found || r.Target == "https://theirs.vault.azure.cn/secrets/token" && r.Result == drydock.AuditSucceeded && r.Principal == ann.ID
	}
	if !found {
		t.Error("reading a vault of Azure is not recorded")
	}
	w.config.Azure = &vault.Azure{SignIn: vault.SignInFrom([]string{"HOME=/root"}, false)}
	w.Service = vault.NewService(w.config)
	if _, err := w.Secret(t.Context(), ann, "https://theirs.vault.azure.net/secrets/token"); drydock.CodeOf(err) != drydock.Unavailable || !strings.Contains(err.Error(), "there is no key vault theirs at this server") {
		t.Error(err)
	}
}

func FuzzParseURL(f *testing.F) {
	for _, seed := range []string{
		"https://box.vault.azure.net/secrets/a", "https://box.vault.drydock.test:8443/secrets/a/1", "https://box.vault.azure.cn/secrets/a?x#y", "https://u:p@box.vault.azure.net/secrets/a", "%", "https://[::1]/secrets/a",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := vault.ParseURL(text, "vault.drydock.test:8443")
		if err != nil {
			if drydock.CodeOf(err) != drydock.Invalid {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if n.Vault == "" || n.Secret == "" || strings.ContainsAny(n.Vault+n.Secret+n.Version, "./:@?#% ") || !strings.HasPrefix(n.Host, n.Vault+".vault.") {
			t.Errorf("%q is %+v", text, n)
		}
	})
}
