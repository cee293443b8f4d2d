package arm

import (
	"context"
	"strings"

	"github.com/drydockhq/drydock"
)

// registryDomain is Config.RegistryDomain, or what the cloud of Azure's has instead
// that a request was made to.
func (s *Server) registryDomain(ctx context.Context) string {
	return drydock.CloudOf(ctx, drydock.Cloud{Name: "own", Registries: s.c.RegistryDomain}).Registries
}

// loginServer returns the host of a registry's data plane, in the cloud that a
// request was made to.
func (s *Server) loginServer(ctx context.Context, name string) string {
	return strings.ToLower(name) + "." + s.registryDomain(ctx)
}

// nameRegistries renames the registries of this server that something is about to
// what they are called in the cloud that a request was made to. They are the values
// of the keys "registry".
func (s *Server) nameRegistries(ctx context.Context, value any) {
	domain := s.registryDomain(ctx)
	if domain == s.c.RegistryDomain {
		return
	}
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			s.nameRegistries(ctx, item)
		}
	case object:
		for key, item := range v {
			host, ok := item.(string)
			if name, ours := strings.CutSuffix(host, "."+s.c.RegistryDomain); ok && ours && key == "registry" {
				v[key] = name + "." + domain
			} else {
				s.nameRegistries(ctx, item)
			}
		}
	}
}
