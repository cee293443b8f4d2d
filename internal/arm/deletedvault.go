package arm

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

const (
	deletedVaultRead = vaultNamespace + "/deletedVaults/read"
	purgeVaultAction = vaultNamespace + "/locations/deletedVaults/purge/action"
)

// protected reports whether a deleted vault may not be purged.
func protected(v drydock.DeletedVault) bool {
	doc, err := parseObject(v.Body)
	return err == nil && flag(doc, "properties.enablePurgeProtection", false)
}

// keepVault notes a vault that is being deleted, so that it can be recovered. Its
// secrets stay where they are.
func (s *Server) keepVault(ctx context.Context, id drydock.ResourceID) error {
	r, err := s.c.Resources.Resource(ctx, id)
	if err != nil {
		return err
	}
	v, err := VaultOf(r)
	if err != nil {
		return err
	}
	now := s.c.Now().Truncate(time.Second)
	return s.c.Vaults.PutDeletedVault(ctx, drydock.DeletedVault{
		ID: r.ID, UID: v.UID, Location: r.Location, Body: r.Body, Created: r.Created, Deleted: now, Purge: now.Add(v.Retention),
	})
}

func (s *Server) deletedVaultDoc(v drydock.DeletedVault) object {
	doc, err := parseObject(v.Body)
	if err != nil {
		doc = object{}
	}
	id := drydock.ResourceID{Subscription: v.ID.Subscription, Namespace: vaultNamespace}
	id = id.Child("locations", plainLocation(v.Location)).Child("deletedVaults", v.ID.Name())
	properties := object{
		"vaultId": v.ID.String(), "location": v.Location, "tags": child(doc, "tags"),
		"deletionDate": v.Deleted.UTC().Format(time.RFC3339), "scheduledPurgeDate": v.Purge.UTC().Format(time.RFC3339),
	}
	if protected(v) {
		properties["purgeProtectionEnabled"] = true
	}
	return object{"id": id.String(), "name": v.ID.Name(), "type": vaultNamespace + "/deletedVaults", "properties": properties}
}

// listDeletedVaults lists those that their reader may read.
func (s *Server) listDeletedVaults(req *request) (*answer, error) {
	all, err := s.c.Vaults.DeletedVaults(req.Context(), "")
	if err != nil {
		return nil, err
	}
	var docs []any
	for _, v := range all {
		if v.Purge.After(s.c.Now()) && req.rights.Allow(deletedVaultRead, v.ID) {
			docs = append(docs, s.deletedVaultDoc(v))
		}
	}
	return req.page(docs)
}

// deletedVaults returns those with the name of a request on which its principal
// may do something, the newest first. There is one at least.
func (s *Server) deletedVaults(req *request, action string) ([]drydock.DeletedVault, error) {
	name := req.params["vaultName"]
	all, err := s.c.Vaults.DeletedVaults(req.Context(), name)
	if err != nil {
		return nil, err
	}
	var found []drydock.DeletedVault
	for _, v := range all {
		if v.Purge.After(s.c.Now()) && plainLocation(v.Location) == plainLocation(req.params["location"]) && req.rights.Allow(action, v.ID) {
			found = append(found, v)
		}
	}
	if len(found) == 0 {
		return nil, notFound("DeletedVaultNotFound", "The specified deleted vault '%s' does not exist, or you may not do this with it.", name)
	}
	return found, nil
}

func (s *Server) showDeletedVault(req *request) (*answer, error) {
	found, err := s.deletedVaults(req, deletedVaultRead)
	if err != nil {
		return nil, err
	}
	return ok(s.deletedVaultDoc(found[0]))
}

// purgeVaults ends all deleted vaults of a name for good, with their secrets.
func (s *Server) purgeVaults(req *request) (*answer, error) {
	found, err := s.deletedVaults(req, purgeVaultAction)
	if err != nil {
		return nil, err
	}
	for _, v := range found {
		if protected(v) {
			return nil, &apiError{Status: http.StatusForbidden, Code: "MethodNotAllowed", Message: "Operation \"DeletedVaultPurge\" is not allowed: the vault '" + v.ID.Name() + "' has purge protection."}
		}
		if err := s.c.Vaults.PurgeVault(req.Context(), v.UID); err != nil {
			return nil, err
		}
	}
	return &answer{status: http.StatusOK}, nil
}

// recoverVault gives back the newest deleted vault that had an id.
func (s *Server) recoverVault(req *request, st *stored) error {
	all, err := s.c.Vaults.DeletedVaults(req.Context(), st.ID.Name())
	if err != nil {
		return err
	}
	for _, v := range all {
		if !strings.EqualFold(v.ID.String(), st.ID.String()) || !v.Purge.After(s.c.Now()) {
			continue
		}
		old, err := open(drydock.Resource{ID: v.ID, Body: v.Body})
		if err != nil {
			return err
		}
		delete(old.ours, "state")
		st.doc, st.ours, st.Location, st.Created = old.doc, old.ours, v.Location, v.Created
		st.also = func(ctx context.Context) error { return s.c.Vaults.ForgetDeletedVault(ctx, v.UID) }
		return nil
	}
	return notFound("DeletedVaultNotFound", "There is no deleted vault '%s' that was in the resource group '%s'.", st.ID.Name(), st.ID.Group)
}
