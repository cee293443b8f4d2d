package arm

import (
	"context"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// listCredentials shows the admin user's passwords.
func (s *Server) listCredentials(req *request) (*answer, error) {
	return s.adminUser(req, s.c.AdminUsers.Passwords)
}

// regenerateCredential replaces one of them.
func (s *Server) regenerateCredential(req *request) (*answer, error) {
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	if err := check(doc, []field{{path: "name", kind: aString, required: true, enum: []string{"password", "password2"}}}); err != nil {
		return nil, err
	}
	second := strings.EqualFold(text(doc, "name"), "password2")
	return s.adminUser(req, func(ctx context.Context, id drydock.ResourceID) (auth.AdminPasswords, error) {
		return s.c.AdminUsers.Regenerate(ctx, id, second)
	})
}

func (s *Server) adminUser(req *request, passwords func(context.Context, drydock.ResourceID) (auth.AdminPasswords, error)) (*answer, error) {
	registry, err := s.find(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	enabled, err := auth.Enabled(registry.Resource)
	if err != nil {
		return nil, err
	}
	if !enabled {
		return nil, badRequest("AdminUserDisabled", "The admin user of the registry '%s' is disabled. Enable it with `acr update --name %s --admin-enabled true`.",
			registry.ID.Name(), registry.ID.Name())
	}
	p, err := passwords(req.Context(), registry.ID)
	if err != nil {
		return nil, err
	}
	return ok(object{
		"username":  strings.ToLower(registry.ID.Name()),
		"passwords": []any{object{"name": "password", "value": p.Password}, object{"name": "password2", "value": p.Password2}},
	})
}

// listUsages shows how much a registry holds; nothing limits it.
func (s *Server) listUsages(req *request) (*answer, error) {
	registry, err := s.find(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	size, err := s.c.Usage.Size(req.Context(), registry.ID)
	if err != nil {
		return nil, err
	}
	webhooks, err := s.Webhooks(req.Context(), registry.ID)
	if err != nil {
		return nil, err
	}
	scopeMaps, err := s.count(req, scopeMapType)
	if err != nil {
		return nil, err
	}
	tokens, err := s.count(req, tokenType)
	if err != nil {
		return nil, err
	}
	const unlimited = 1 << 50
	return ok(object{"value": []any{
		object{"name": "Size", "limit": unlimited, "currentValue": size, "unit": "Bytes"},
		object{"name": "Webhooks", "limit": 500, "currentValue": len(webhooks), "unit": "Count"},
		object{"name": "ScopeMaps", "limit": 50000, "currentValue": len(drydock.SystemScopeMaps()) + scopeMaps, "unit": "Count"},
		object{"name": "Tokens", "limit": 50000, "currentValue": tokens, "unit": "Count"},
	}})
}

// count counts the resources of a type in the request's registry.
func (s *Server) count(req *request, kind string) (int, error) {
	found, err := s.c.Resources.Resources(req.Context(), drydock.ResourceFilter{Below: req.scope, Type: kind})
	return len(found), err
}
