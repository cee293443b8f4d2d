package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/drydockhq/drydock"
)

// allowed returns those of the wanted actions that a token's scope map allows
// at this moment.
func (t *ScopedTokens) allowed(ctx context.Context, p drydock.Principal, want RepositoryAccess) ([]string, error) {
	token, err := t.read(ctx, p.Owner)
	if errors.Is(err, errNoToken) || err == nil && (token.scopeMap == "" || !token.enabled) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	actions, err := t.actions(ctx, p.Owner.Parent(), token.scopeMap)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(want.Actions), func(action string) bool {
		return !scopeAllows(actions, want, action)
	}), nil
}

// actions returns what a scope map of a registry allows; one that is gone
// allows nothing.
func (t *ScopedTokens) actions(ctx context.Context, registry drydock.ResourceID, scopeMap string) ([]drydock.ScopeAction, error) {
	id, err := drydock.ParseResourceID(scopeMap)
	if foreign := err != nil || id.Parent().Key() != registry.Key(); foreign {
		return nil, nil
	}
	m, system := drydock.SystemScopeMap(id.Name())
	if !system {
		r, err := t.Resources.Resource(ctx, registry.Child(scopeMapType, id.Name()))
		if drydock.CodeOf(err) == drydock.NotFound {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the scope map %s: %w", id.Name(), err)
		}
		body, err := scopedBody(r)
		if err != nil || body.deleting() {
			return nil, err
		}
		m.Actions = body.Properties.Actions
	}
	var list []drydock.ScopeAction
	for _, text := range m.Actions {
		if a, err := drydock.ParseScopeAction(text); err == nil {
			list = append(list, a)
		}
	}
	return list, nil
}

// scopeVerbs are the verbs that the actions of registry tokens stand for.
var scopeVerbs = map[string]string{
	"pull": drydock.ReadContent, "push": drydock.WriteContent, "delete": drydock.DeleteContent,
	"metadata_read": drydock.ReadMetadata, "metadata_write": drydock.WriteMetadata,
}

// scopeAllows reports whether one wanted action is among those of a scope map.
// To list the repositories, as in ACR, is to read the metadata of all.
func scopeAllows(actions []drydock.ScopeAction, want RepositoryAccess, action string) bool {
	has := func(verb string, covers func(drydock.ScopeAction) bool) bool {
		return slices.ContainsFunc(actions, func(a drydock.ScopeAction) bool { return a.Verb == verb && covers(a) })
	}
	here := func(a drydock.ScopeAction) bool { return a.Covers(want.Name) }
	switch {
	case want.Type == "registry":
		return want.Name == "catalog" && action == "*" && has(drydock.ReadMetadata, drydock.ScopeAction.All)
	case want.Type != "repository":
		return false
	case action == "*":
		return !slices.ContainsFunc(drydock.ScopeVerbs(), func(verb string) bool { return !has(verb, here) })
	}
	verb, known := scopeVerbs[action]
	return known && has(verb, here)
}
