package auth

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/drydockhq/drydock"
)

// form returns the parameters of a request that shows that it is meant: a server
// in a container that fetches what its own clients name can't be made to send
// its headers.
func (m *ManagedIdentity) form(w http.ResponseWriter, r *http.Request, run drydock.RunKey) (url.Values, error) {
	if r.Header.Get("X-Forwarded-For") != "" {
		return nil, badIdentityRequest("The header X-Forwarded-For must not be there: requests come from containers of the run alone.")
	}
	switch {
	case r.URL.Path == EndpointTokenPath && r.Method == http.MethodGet:
		given := r.Header.Get("X-Identity-Header")
		if subtle.ConstantTimeCompare([]byte(given), []byte(m.Header(run))) != 1 {
			return nil, &identityError{http.StatusUnauthorized, "invalid_client", "The header X-IDENTITY-HEADER is not what IDENTITY_HEADER is in this run."}
		}
		return r.URL.Query(), nil
	case r.URL.Path == EndpointTokenPath && r.Method == http.MethodPost, r.URL.Path == InstanceTokenPath && r.Method == http.MethodGet:
		if r.Header.Get("Metadata") != "true" {
			return nil, badIdentityRequest("Required metadata header not specified")
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			return nil, badIdentityRequest("The request is not a form of at most 64 KiB.")
		}
		return r.Form, nil
	case r.URL.Path != EndpointTokenPath && r.URL.Path != InstanceTokenPath:
		return nil, &identityError{http.StatusNotFound, "not_found", "There is nothing here but " + InstanceTokenPath + " and " + EndpointTokenPath + "."}
	}
	w.Header().Set("Allow", "GET")
	return nil, &identityError{http.StatusMethodNotAllowed, "invalid_request", "The method is not one for this path."}
}

// principal returns the identity that a run asks for: the task's own or its only
// one, if it names none.
func (m *ManagedIdentity) principal(ctx context.Context, run drydock.RunKey, form url.Values) (drydock.Principal, error) {
	from, err := m.identitiesIn(ctx, run)
	if err != nil {
		return drydock.Principal{}, err
	}
	name := ""
	for _, key := range []string{"client_id", "object_id", "principal_id", "msi_res_id", "mi_res_id"} {
		if v := form.Get(key); v != "" {
			name = v
		}
	}
	all, err := m.identities(ctx, from)
	if err != nil {
		return drydock.Principal{}, err
	}
	return asked(all, name)
}

// identitiesIn returns the resource whose identities a run has: its task, or the
// container group itself.
func (m *ManagedIdentity) identitiesIn(ctx context.Context, run drydock.RunKey) (none drydock.ResourceID, _ error) {
	if run.OfGroup() {
		there, err := m.authority.groupIsThere(ctx, run)
		if err == nil && !there {
			err = badIdentityRequest("The %s was deleted.", run)
		}
		return run.Group, err
	}
	record, err := m.authority.c.Runs.Run(ctx, run.Registry, run.ID)
	if drydock.CodeOf(err) == drydock.NotFound || err == nil && !run.Acts(record) {
		return none, badIdentityRequest("The run %s has ended.", run.ID)
	}
	if err != nil {
		return none, err
	}
	var request drydock.RunRequest
	if err := json.Unmarshal(record.Request, &request); err != nil {
		return none, fmt.Errorf("reading the request of run %s: %w", run.ID, err)
	}
	if request.Identity.Subscription == "" {
		return none, badIdentityRequest("Identity not found: the run %s has none. It takes a run of a task that has one.", run.ID)
	}
	return request.Identity, nil
}

// asked returns the identity that a request names, "" for none.
func asked(all drydock.Identities, name string) (drydock.Principal, error) {
	switch {
	case name == "" && all.System == nil && len(all.Users) == 1:
		return all.Users[0], nil
	case name == "" && all.System == nil && len(all.Users) > 1:
		return drydock.Principal{}, badIdentityRequest("Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request")
	case name == "":
		name = drydock.SystemIdentity
	case all.System != nil && (name == all.System.AppID || name == all.System.ID):
		return *all.System, nil
	}
	p, err := all.Named(name)
	if drydock.CodeOf(err) == drydock.NotFound {
		return p, badIdentityRequest("Identity not found: %s", printableUpTo(err.Error(), 500)) // with what to do about it
	}
	return p, err
}
