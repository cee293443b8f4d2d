package arm

import (
	"context"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

var importFields = slices.Concat(
	[]field{
		{path: "source", kind: anObject, required: true},
		{path: "source.sourceImage", kind: aString, required: true, min: 1, max: 512},
		{path: "source.credentials", kind: anObject},
		{path: "targetTags", kind: aList},
		{path: "targetTags[]", kind: aString, required: true, min: 1, max: 512},
		{path: "untaggedTargetRepositories", kind: aList},
		{path: "untaggedTargetRepositories[]", kind: aString, required: true, min: 1, max: 512},
		anyOf("mode", "NoForce", "Force"),
	},
	kinds(aString, "source.resourceId", "source.registryUri", "source.credentials.username", "source.credentials.password"),
)

// importImage begins to copy an image into a registry.
func (s *Server) importImage(req *request) (*answer, error) {
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	if err := check(doc, importFields); err != nil {
		return nil, err
	}
	registry, err := s.registryForRuns(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	i := Import{
		Target: registry.ID, Actor: req.principal.ID,
		SourceHost: host(text(doc, "source.registryUri")), Image: text(doc, "source.sourceImage"),
		Username: text(doc, "source.credentials.username"), Password: text(doc, "source.credentials.password"),
		Tags: texts(doc, "targetTags"), Untagged: texts(doc, "untaggedTargetRepositories"),
		Force: strings.EqualFold(text(doc, "mode"), "Force"),
	}
	if err := s.importSource(req, &i, text(doc, "source.resourceId")); err != nil {
		return nil, err
	}
	id, _, err := s.begin(operationKey{Principal: req.principal.ID, Failure: "ImportFailed"}, func(ctx context.Context) error {
		return s.c.Importer.Import(ctx, i)
	})
	if err != nil {
		return nil, err
	}
	return s.accepted(req, id), nil
}

// importSource finds the registry that an import reads: the principal must be
// allowed to pull from it if it is one of ours.
func (s *Server) importSource(req *request, i *Import, resourceID string) error {
	if resourceID == "" {
		if i.SourceHost == "" {
			i.Source = i.Target
		}
		return nil
	}
	id, err := drydock.ParseResourceID(resourceID)
	if err != nil || !strings.EqualFold(id.Type(), registryType) {
		return badRequest("InvalidSourceRegistry", "'%s' is not the id of a registry.", shorten(resourceID)).about("source.resourceId")
	}
	if !req.rights.Allow(auth.PullAction, id) {
		return auth.Forbidden(req.principal, auth.PullAction, id)
	}
	source, err := s.find(req.Context(), id)
	if err != nil {
		return err
	}
	i.Source = source.ID
	return nil
}

// host returns the host of an address with or without a scheme.
func host(address string) string {
	if _, rest, ok := strings.Cut(address, "://"); ok {
		address = rest
	}
	return strings.TrimRight(address, "/")
}

func texts(doc object, path string) []string {
	var all []string
	for _, e := range list(doc, path) {
		all = append(all, asText(e))
	}
	return all
}
