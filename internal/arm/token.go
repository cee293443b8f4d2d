package arm

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

var tokenFields = slices.Concat(
	kinds(anObject, "properties", "properties.credentials"),
	kinds(aList, "properties.credentials.passwords", "properties.credentials.certificates"),
	kinds(anObject, "properties.credentials.passwords[]"),
	[]field{
		{path: "properties.scopeMapId", kind: aString, max: 1024},
		anyOf("properties.credentials.passwords[].name", "password1", "password2"),
	},
	switches("enabled", "disabled", "properties.status"),
)

// computedOfToken are the properties that only the server sets.
var computedOfToken = []string{"provisioningState", "creationDate", "objectId"}

func (s *Server) putToken(req *request) (*answer, error) {
	if err := scopedName(req.scope, "token"); err != nil {
		return nil, err
	}
	defer s.locks.lock(scopeMapsKey(req.scope.Parent()))()
	return s.putChild(req, tokenFields, s.takeToken, noFinish, s.tokenDoc)
}

func (s *Server) patchToken(req *request) (*answer, error) {
	defer s.locks.lock(scopeMapsKey(req.scope.Parent()))()
	return s.patchChild(req, tokenFields, func(ctx context.Context, st *stored, patch object) error {
		return s.takeToken(ctx, st, merge(st.doc, patch))
	}, noFinish, s.tokenDoc)
}

// scopeMapsKey is held while tokens of a registry are given scope maps, so that
// none is given one that is being deleted.
func scopeMapsKey(registry drydock.ResourceID) string { return "scope maps of " + registry.Key() }

// takeToken checks a token and puts it into its resource.
func (s *Server) takeToken(ctx context.Context, st *stored, next object) error {
	properties := child(next, "properties")
	if err := s.takeTokenMap(ctx, st, properties); err != nil {
		return err
	}
	if err := s.keepPasswords(st, properties); err != nil {
		return err
	}
	delete(properties, "credentials")
	st.doc = without(withoutComputed(next, computedOfToken...), "location")
	return nil
}

// takeTokenMap checks that the scope map of a token is one of its registry.
func (s *Server) takeTokenMap(ctx context.Context, st *stored, properties object) error {
	given := text(properties, "scopeMapId")
	if given == "" {
		delete(properties, "scopeMapId")
		return nil
	}
	const where = "properties.scopeMapId"
	id, err := drydock.ParseResourceID(given)
	if err != nil || id.Parent().Key() != st.ID.Parent().Key() || !strings.EqualFold(id.Type(), scopeMapType) {
		return badRequest("InvalidScopeMapId", "'%s' is no scope map of the registry '%s'.", shorten(given), st.ID.Parent().Name()).about(where)
	}
	scopeMap, err := s.findScopeMap(ctx, id)
	if isNotFound(err) {
		return badRequest("ScopeMapNotFound", "The registry '%s' has no scope map '%s'.", st.ID.Parent().Name(), shorten(id.Name())).about(where)
	}
	if err != nil {
		return err
	}
	if scopeMap.deleting() {
		return conflict("ResourceBeingDeleted", "'%s' is being deleted.", scopeMap.ID)
	}
	properties["scopeMapId"] = scopeMap.ID.String()
	return nil
}

// keepPasswords leaves a token the passwords that are named in it; all of them
// if nothing is said.
func (s *Server) keepPasswords(st *stored, properties object) error {
	if len(list(properties, "credentials.certificates")) > 0 {
		return badRequest("CertificatesNotSupported", "Tokens with certificates are not part of this server.").about("properties.credentials.certificates")
	}
	given, said := at(properties, "credentials.passwords").([]any)
	if !said {
		return nil
	}
	passwords, err := s.c.Tokens.Passwords(st.Resource)
	if err != nil {
		return err
	}
	var kept []drydock.TokenPassword
	for _, p := range passwords {
		if slices.ContainsFunc(given, func(g any) bool {
			o, _ := g.(object)
			return strings.EqualFold(text(o, "name"), p.Name)
		}) {
			kept = append(kept, p)
		}
	}
	st.Resource, err = s.c.Tokens.WithPasswords(st.Resource, kept)
	return err
}

func (s *Server) tokenDoc(_ context.Context, st *stored) (object, error) {
	doc := st.envelope()
	delete(doc, "location")
	properties := child(doc, "properties")
	fill(properties, object{"status": "enabled"})
	passwords, err := s.c.Tokens.Passwords(st.Resource)
	if err != nil {
		return nil, err
	}
	shown := []any{}
	for _, p := range passwords {
		shown = append(shown, passwordDoc(p))
	}
	properties["credentials"] = object{"certificates": []any{}, "passwords": shown}
	properties["creationDate"] = timestamp(st.Created)
	properties["provisioningState"] = st.state()
	return doc, nil
}

// passwordDoc is a password as clients see it ever after.
func passwordDoc(p drydock.TokenPassword) object {
	doc := object{"name": p.Name, "creationTime": timestamp(p.Created)}
	if !p.Expires.IsZero() {
		doc["expiry"] = p.Expires.UTC().Format(time.RFC3339Nano)
	}
	return doc
}

func (s *Server) showToken(req *request) (*answer, error) { return s.showChild(req, s.tokenDoc) }

func (s *Server) listTokens(req *request) (*answer, error) {
	return s.listOf(req, tokenType, s.tokenDoc)
}

// releaseTokens takes a scope map from the tokens that have it: a later one of
// the same name must not come to them by chance.
func (s *Server) releaseTokens(ctx context.Context, scopeMap drydock.ResourceID) error {
	defer s.locks.lock(scopeMapsKey(scopeMap.Parent()))()
	tokens, err := s.c.Resources.Resources(ctx, drydock.ResourceFilter{Below: scopeMap.Parent(), Type: tokenType})
	if err != nil {
		return err
	}
	for _, t := range tokens {
		st, err := open(t)
		if err != nil {
			return err
		}
		if !strings.EqualFold(text(st.doc, "properties.scopeMapId"), scopeMap.String()) {
			continue
		}
		_, err = s.change(ctx, t.ID, func(st *stored) error {
			if !st.exists() {
				return notFound("ResourceNotFound", "'%s' was deleted meanwhile.", t.ID)
			}
			delete(child(st.doc, "properties"), "scopeMapId")
			return nil
		})
		if err != nil && !isNotFound(err) {
			return err
		}
	}
	return nil
}

func isNotFound(err error) bool {
	if err == nil {
		return false
	}
	e, _ := apiErrorOf(err)
	return e.Status == http.StatusNotFound
}
