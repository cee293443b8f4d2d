package arm_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/internal/arm"
)

// described is a server as clients read it of 2022 and later; those of 2019 read a
// list of such.
const described = `{
	"name": "drydock",
	"portal": "https://management.x.test",
	"gallery": "https://management.x.test/",
	"batch": "https://management.x.test/",
	"resourceManager": "https://management.x.test/",
	"graph": "https://graph.x.test/",
	"graphAudience": "https://graph.x.test/",
	"microsoftGraphResourceId": "https://graph.x.test/",
	"authentication": {
		"loginEndpoint": "https://login.x.test/adfs",
		"audiences": ["https://management.x.test/", "https://management.x.test"],
		"tenant": "t",
		"identityProvider": "ADFS"
	},
	"suffixes": {
		"acrLoginServer": "azurecr.x.test",
		"keyVaultDns": "vault.x.test",
		"mhsmDns": "vault.x.test",
		"storage": "x.test",
		"sqlServerHostname": "sql.x.test"
	}
}`

// describedFirst is the same as clients read it of before 2019.
const describedFirst = `{
	"galleryEndpoint": "https://management.x.test/",
	"graphEndpoint": "https://graph.x.test/",
	"portalEndpoint": "https://management.x.test/",
	"authentication": {
		"loginEndpoint": "https://login.x.test/adfs",
		"audiences": ["https://management.x.test/", "https://management.x.test"],
		"tenant": "t",
		"identityProvider": "ADFS"
	}
}`

func TestMetadata(t *testing.T) {
	t.Parallel()
	h := arm.WithMetadata(arm.Cloud{
		Name: "drydock", Management: "https://management.x.test", Login: "https://login.x.test", Graph: "https://graph.x.test", Tenant: "t",
		RegistryDomain: "azurecr.x.test", VaultDomain: "vault.x.test", StorageDomain: "x.test",
	}, http.NotFoundHandler())
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/metadata/endpoints?api-version=2015-01-01", describedFirst},
		{"GET", "/metadata/endpoints", describedFirst},
		{"GET", "/Metadata/Endpoints/?api-version=2015-01-01", describedFirst},
		{"GET", "/metadata/endpoints?api-version=2019-05-01", "[" + described + "]"},
		{"GET", "/metadata/endpoints?api-version=2020-06-01", "[" + described + "]"},
		{"GET", "/metadata/endpoints?api-version=2022-09-01", described},
		{"GET", "//metadata/endpoints?api-version=2022-09-01", described},
		{"GET", "/metadata/endpoints?api-version=2023-11-01", described},
		{"GET", "/metadata/other?api-version=2022-09-01", ""},
		{"POST", "/metadata/endpoints?api-version=2022-09-01", ""},
	} {
		r := httptest.NewRequestWithContext(t.Context(), c.method, "https://management.x.test/", nil)
		r.URL.Path, r.URL.RawQuery, _ = strings.Cut(c.path, "?")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if c.want == "" {
			if w.Code != http.StatusNotFound {
				t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
			}
			continue
		}
		var got, want any
		if err := json.Unmarshal([]byte(c.want), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || !reflect.DeepEqual(got, want) {
			t.Errorf("%s %s: %d %s, want %s", c.method, c.path, w.Code, w.Body, c.want)
		}
		if kind := w.Header().Get("Content-Type"); kind != "application/json; charset=utf-8" {
			t.Errorf("%s: the answer is %s", c.path, kind)
		}
	}
}
