package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/drydockhq/drydock"
)

// The paths of the endpoints at which containers of a run ask for tokens.
const (
	// InstanceTokenPath is that of a virtual machine's metadata service.
	InstanceTokenPath = "/metadata/identity/oauth2/token"
	// EndpointTokenPath is that of IDENTITY_ENDPOINT and MSI_ENDPOINT.
	EndpointTokenPath = "/msi/token"
)

// IdentitiesOf finds the identities of a resource. A resource that is not there
// has none.
type IdentitiesOf func(ctx context.Context, resource drydock.ResourceID) (drydock.Identities, error)

// ManagedIdentity gives the containers of runs tokens of the identities of their
// tasks, and those of container groups tokens of the groups' own, as Azure gives
// them to its machines. Its methods may be called from several goroutines.
type ManagedIdentity struct {
	authority  *Authority
	identities IdentitiesOf
	log        *slog.Logger
	// key makes the headers of runs. It need not outlive the process: a run whose
	// server is gone is carried out again.
	key []byte
}

// NewManagedIdentity returns a ManagedIdentity.
func NewManagedIdentity(a *Authority, identities IdentitiesOf, log *slog.Logger) *ManagedIdentity {
	key := make([]byte, sha256.Size)
	rand.Read(key) // never fails
	return &ManagedIdentity{a, identities, log, key}
}

// Header returns the IDENTITY_HEADER of a run: what its containers send to show
// that it is they who ask. It is good for this run and no other.
func (m *ManagedIdentity) Header(run drydock.RunKey) string {
	h := hmac.New(sha256.New, m.key)
	fmt.Fprintf(h, "%s\x00%d\x00%d", run.Resource().Key(), run.Created.UnixNano(), run.Attempt)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// Environment returns the variables by which clients in a run find the endpoint,
// as "NAME=value"; base is where the run reaches ServeHTTP, without a final slash.
// MSI_SECRET must not be among them: with it, clients speak an older protocol.
func (m *ManagedIdentity) Environment(run drydock.RunKey, base string) []string {
	endpoint := base + EndpointTokenPath
	return []string{"IDENTITY_ENDPOINT=" + endpoint, "IDENTITY_HEADER=" + m.Header(run), "MSI_ENDPOINT=" + endpoint}
}

// ServeHTTP answers requests for tokens, in the three forms that clients know:
// GET with an X-IDENTITY-HEADER (App Service, 2019-08-01), POST of a form (Cloud
// Shell), and GET with Metadata: true (virtual machines). The context must say
// which run a request comes out of; see WithRun.
func (m *ManagedIdentity) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	answer, err := m.answer(w, r)
	var refused *identityError
	switch {
	case err == nil:
		writeJSON(w, http.StatusOK, answer)
	case errors.As(err, &refused):
		writeJSON(w, refused.status, map[string]any{
			"error": refused.code, "error_description": refused.message, "statusCode": refused.status, "message": refused.message,
		})
	default:
		m.log.ErrorContext(r.Context(), "giving a run a token", "error", err)
		writeJSON(w, http.StatusServiceUnavailable, map[string]any{"error": "temporarily_unavailable", "error_description": "Try again."})
	}
}

// identityError is a refusal. Its status is one at which clients don't try again.
type identityError struct {
	status  int
	code    string
	message string
}

// Error returns the message.
func (e *identityError) Error() string { return e.message }

func badIdentityRequest(format string, args ...any) *identityError {
	return &identityError{http.StatusBadRequest, "invalid_request", fmt.Sprintf(format, args...)}
}

// identityAnswer has its numbers as text, as Azure.
type identityAnswer struct {
	Token     string `json:"access_token"`
	ClientID  string `json:"client_id"`
	ExpiresIn string `json:"expires_in"`
	Extended  string `json:"ext_expires_in"`
	ExpiresOn string `json:"expires_on"`
	NotBefore string `json:"not_before"`
	Resource  string `json:"resource"`
	Type      string `json:"token_type"`
}

func (m *ManagedIdentity) answer(w http.ResponseWriter, r *http.Request) (*identityAnswer, error) {
	run, inside := RunFrom(r.Context())
	if !inside {
		return nil, &identityError{http.StatusForbidden, "access_denied", "This endpoint is for the containers of runs."}
	}
	form, err := m.form(w, r, run)
	if err != nil {
		return nil, err
	}
	resource := form.Get("resource")
	if resource == "" {
		return nil, badIdentityRequest("The parameter 'resource' is missing.")
	}
	if _, known := m.authority.audienceOf(resource); !known {
		return nil, &identityError{
			http.StatusBadRequest, "invalid_resource",
			fmt.Sprintf("AADSTS500011: The resource principal named %s was not found in the tenant.", printable(resource)),
		}
	}
	p, err := m.principal(r.Context(), run, form)
	if err != nil {
		return nil, err
	}
	p.Run = &run
	token, expires, err := m.authority.IdentityToken(p, resource, tokenLifetime, true)
	if err != nil {
		return nil, err
	}
	m.log.InfoContext(r.Context(), "gave a run a token", "of", run.String(), "registry", run.Registry.Name(), "identity", p.ID, "resource", resource)
	now := m.authority.c.Now()
	seconds := strconv.Itoa(int(expires.Sub(now).Seconds()))
	return &identityAnswer{
		Token: token, ClientID: p.AppID, ExpiresIn: seconds, Extended: seconds,
		ExpiresOn: strconv.FormatInt(expires.Unix(), 10), NotBefore: strconv.FormatInt(now.Unix(), 10),
		Resource: resource, Type: "Bearer",
	}, nil
}
