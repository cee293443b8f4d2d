package arm_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/internal/arm"
)

func TestMetadata(t *testing.T) {
	t.Parallel()
	h := arm.WithMetadata(arm.Cloud{
		Name: "drydock", Management: "https://management.x.test", Login: "https://login.x.test", Graph: "https://graph.x.test", Tenant: "t",
		RegistryDomain: "azurecr.x.test", VaultDomain: "vault.x.test", StorageDomain: "x.test",
	}, http.NotFoundHandler())
	for path, shape := range map[string]string{
		"/metadata/endpoints?api-version=2015-01-01":  `{"authentication":{`,
		"/metadata/endpoints?api-version=2019-05-01":  `[{`,
		"/metadata/endpoints?api-version=2022-09-01":  `{"authentication":{`,
		"//metadata/endpoints?api-version=2022-09-01": `{"authentication":{`,
		"/Metadata/Endpoints/?api-version=2015-01-01": `{`,
		"/metadata/other": "404",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://management.x.test/", nil)
		r.URL.Path, r.URL.RawQuery, _ = strings.Cut(path, "?")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if shape == "404" {
			if w.Code != http.StatusNotFound {
				t.Errorf("%s: %d", path, w.Code)
			}
			continue
		}
		body := w.Body.String()
		if !strings.HasPrefix(body, shape) || !json.Valid([]byte(body)) || !strings.Contains(body, `"loginEndpoint":"https://login.x.test/adfs"`) {
			t.Errorf("%s: %s", path, body)
		}
		if !strings.Contains(body, `"https://graph.x.test/"`) {
			t.Errorf("%s does not name Graph: %s", path, body)
		}
		if suffix := strings.Contains(body, `"acrLoginServer":"azurecr.x.test"`); suffix == strings.Contains(path, "2015") {
			t.Errorf("%s: %s", path, body)
		}
	}
}
