package arm

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"github.com/drydockhq/drydock"
)

// vaultName is Key Vault's rule: the name is part of a host name.
var vaultName = regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9]|-[A-Za-z0-9]){2,23}$`)

// vaultNameFree checks a name for a new vault: names are global. The name of one
// that was deleted is free again, unless that is protected.
func (s *Server) vaultNameFree(ctx context.Context, name string) error {
	if !vaultName.MatchString(name) || len(name) > 24 {
		return badRequest("VaultNameNotValid", "The vault name '%s' is invalid: it has 3 to 24 letters, digits and '-', begins with a letter, ends with a letter or digit, and has no two '-' in a row.", shorten(name))
	}
	found, err := s.c.Resources.Resources(ctx, drydock.ResourceFilter{Type: vaultType, Name: name})
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return vaultInUse(name)
	}
	deleted, err := s.c.Vaults.DeletedVaults(ctx, name)
	if err != nil {
		return err
	}
	for _, v := range deleted {
		if protected(v) && v.Purge.After(s.c.Now()) {
			return conflict("ConflictError", "A vault with the name '%s' exists in deleted state and is protected: recover it, or wait until %s.", name, v.Purge.UTC().Format("2006-01-02"))
		}
	}
	return nil
}

func vaultInUse(name string) *apiError {
	return conflict("VaultAlreadyExists", "The vault name '%s' is already in use: names of vaults are unique in a server.", name)
}

// checkVaultName says whether a vault can be created with a name.
func (s *Server) checkVaultName(req *request) (*answer, error) {
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	if err := check(doc, []field{{path: "name", kind: aString, required: true}, {path: "type", kind: aString}}); err != nil {
		return nil, err
	}
	switch err := s.vaultNameFree(req.Context(), strings.TrimSpace(text(doc, "name"))); e := err.(type) {
	case nil:
		return ok(object{"nameAvailable": true})
	case *apiError:
		reason := "AccountNameInvalid"
		if e.Status == http.StatusConflict {
			reason = "AlreadyExists"
		}
		return ok(object{"nameAvailable": false, "reason": reason, "message": e.Message})
	default:
		return nil, err
	}
}
