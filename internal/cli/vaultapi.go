package cli

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/drydockhq/drydock"
)

// secretsVersion is the version of Key Vault's REST API that is spoken.
const secretsVersion = "7.4"

// secretFlags say which secret a command is about.
type secretFlags struct{ vault, name, version, id string }

func (s *secretFlags) define(f *flags) {
	s.byVault(f)
	f.StringVarP(&s.name, "name", "n", "", "name of the secret")
	f.StringVar(&s.id, "id", "", "id of the secret, instead of the names")
}

func (s *secretFlags) withVersion(f *flags) {
	s.define(f)
	f.StringVarP(&s.version, "version", "v", "", "version of the secret (default: the newest)")
}

func (s *secretFlags) byVault(f *flags) {
	f.StringVar(&s.vault, "vault-name", "", "name of the key vault")
}

// open returns the client of the vault that the flags name.
func (s *secretFlags) open(c *call) (*api, error) {
	session, err := c.session()
	if err != nil {
		return nil, err
	}
	suffix := session.cloud.VaultSuffix
	if suffix == "" {
		return nil, drydock.Errorf(drydock.Invalid, "the cloud %s has no key vaults, as far as is known", session.cloud.Name).
			WithHint("register it again with %s cloud register", c.Name)
	}
	if s.id != "" {
		if err := s.fromID(suffix); err != nil {
			return nil, usageError(c.cmd, err)
		}
	}
	if s.vault == "" {
		return nil, missingFlags(c.cmd, []string{"vault-name"})
	}
	if strings.ContainsAny(s.vault, "./:@?#%") { // a token must not go elsewhere
		return nil, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "argument --vault-name: %q is not the name of a key vault", s.vault))
	}
	credential, err := session.credential()
	if err != nil {
		return nil, err
	}
	scope := "https://" + strings.TrimPrefix(suffix, ".") + "/.default"
	options := session.clientOptions()
	return &api{
		session: session, endpoint: "https://" + strings.ToLower(s.vault) + suffix,
		pipeline: runtime.NewPipeline("drydock", "v1.0.0", runtime.PipelineOptions{
			PerRetry: []policy.Policy{runtime.NewBearerTokenPolicy(credential, []string{scope}, nil)},
		}, &options),
	}, nil
}

// fromID takes the names out of an id, which must be one of the active cloud.
func (s *secretFlags) fromID(suffix string) error {
	u, err := url.Parse(s.id)
	if err != nil || u.Scheme != "https" {
		return drydock.Errorf(drydock.Invalid, "argument --id: it is not the id of a secret")
	}
	vault, ok := strings.CutSuffix(strings.ToLower(u.Host), suffix)
	if !ok {
		return drydock.Errorf(drydock.Invalid, "argument --id: %s is not the host of a key vault of this cloud, which end with %s", u.Host, suffix)
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) < 2 {
		return drydock.Errorf(drydock.Invalid, "argument --id: it names no secret")
	}
	s.vault, s.name = vault, parts[1]
	if len(parts) > 2 {
		s.version = parts[2]
	}
	return nil
}

// do carries out a request for the secret below a collection, such as "secrets".
func (s *secretFlags) do(c *call, method, collection, below string, body any) (object, error) {
	a, err := s.open(c)
	if err != nil {
		return nil, err
	}
	if s.name == "" {
		return nil, missingFlags(c.cmd, []string{"name"})
	}
	found, err := a.do(c.ctx, request{method: method, path: "/" + collection + "/" + escape(s.name) + below, version: secretsVersion, body: body})
	return secretShown(found), err
}

// versionPath is the part of a path that is the version, if there is one.
func (s *secretFlags) versionPath() string {
	if s.version == "" {
		return ""
	}
	return "/" + escape(s.version)
}

// list returns the secrets of a collection.
func (s *secretFlags) list(c *call, path string, most int) (any, error) {
	a, err := s.open(c)
	if err != nil {
		return nil, err
	}
	list, err := a.list(c.ctx, request{path: path, version: secretsVersion}, most)
	for i := range list {
		if o, ok := list[i].(object); ok {
			list[i] = secretShown(o)
		}
	}
	return list, err
}

// secretShown shows a secret as the Azure CLI does.
func secretShown(o object) object {
	if o == nil {
		return nil
	}
	attributes, _ := o["attributes"].(object)
	o["attributes"] = object{
		"created": clock(attributes["created"]), "updated": clock(attributes["updated"]), "enabled": attributes["enabled"],
		"expires": clock(attributes["exp"]), "notBefore": clock(attributes["nbf"]),
		"recoverableDays": attributes["recoverableDays"], "recoveryLevel": attributes["recoveryLevel"],
	}
	if u, err := url.Parse(text(o, "id")); err == nil {
		if parts := strings.Split(strings.Trim(u.Path, "/"), "/"); len(parts) > 1 {
			o["name"] = parts[1]
		}
	}
	for _, key := range []string{"contentType", "tags", "kid", "managed"} {
		if _, there := o[key]; !there {
			o[key] = nil
		}
	}
	for _, key := range []string{"deletedDate", "scheduledPurgeDate"} {
		if t, there := o[key]; there {
			o[key] = clock(t)
		}
	}
	return o
}

// clock shows a time in seconds since 1970, and nothing as nil.
func clock(v any) any {
	n, ok := v.(float64)
	if !ok {
		return nil
	}
	return time.Unix(int64(n), 0).UTC().Format("2006-01-02T15:04:05+00:00")
}

// request carries out a request without a body; a purge has no answer.
func (s *secretFlags) request(c *call, method, collection, below string) (any, error) {
	found, err := s.do(c, method, collection, below, nil)
	if method == http.MethodDelete && len(found) == 0 {
		return nil, err
	}
	return found, err
}
