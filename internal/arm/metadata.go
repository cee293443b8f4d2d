package arm

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Cloud describes a server to clients that are told its address only.
type Cloud struct {
	Name           string
	Management     string // URL of the resource manager, without a final slash
	Login          string // URL of the authority, without a final slash
	Graph          string // URL of the directory, without a final slash
	Tenant         string
	RegistryDomain string // what follows the name of a registry, as "azurecr.drydock.test"
	VaultDomain    string
	StorageDomain  string // what follows "{account}.blob."
}

// metadataPath is where clients ask; some put one slash too many before it.
const metadataPath = "/metadata/endpoints"

// WithMetadata returns a handler that answers /metadata/endpoints, for which no
// token is needed, and leaves everything else to next.
func WithMetadata(c Cloud, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := "/" + strings.Trim(r.URL.Path, "/")
		if r.Method != http.MethodGet || !strings.EqualFold(path, metadataPath) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		// What is encoded has no values that can't be, and a client that is gone
		// needs no answer.
		_ = json.NewEncoder(w).Encode(c.metadata(r.URL.Query().Get("api-version")))
	})
}

// metadata has three shapes, by what the client can read: the one of 2015, a
// list from 2019 on, and one object from 2022 on.
func (c Cloud) metadata(apiVersion string) any {
	authentication := object{
		"loginEndpoint": c.Login + "/adfs", "audiences": []string{c.Management + "/", c.Management},
		"tenant": c.Tenant, "identityProvider": "ADFS",
	}
	cloud := object{
		"name": c.Name, "portal": c.Management, "resourceManager": c.Management + "/",
		"graph": c.Graph + "/", "graphAudience": c.Graph + "/", "microsoftGraphResourceId": c.Graph + "/",
		"authentication": authentication, "gallery": c.Management + "/", "batch": c.Management + "/",
		"suffixes": object{
			"acrLoginServer": c.RegistryDomain, "keyVaultDns": c.VaultDomain, "storage": c.StorageDomain,
			"mhsmDns": c.VaultDomain, "sqlServerHostname": "sql." + c.StorageDomain,
		},
	}
	switch year, _, _ := strings.Cut(apiVersion, "-"); {
	case year < "2019":
		return object{
			"galleryEndpoint": c.Management + "/", "graphEndpoint": c.Graph + "/", "portalEndpoint": c.Management + "/",
			"authentication": authentication,
		}
	case year < "2022":
		return []any{cloud}
	}
	return cloud
}
