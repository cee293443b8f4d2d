package arm

import (
	"context"
	"net/http"
	"strings"

	"github.com/drydockhq/drydock"
)

func (s *Server) triggerHookRoutes() []route {
	return []route{
		{method: http.MethodPost, path: registryPath + "/listTriggerHook", action: acrAction + "/listTriggerHook/action", what: "Show where registries elsewhere tell of pushes, and the secret for that. Not one of Azure's.", handle: s.listTriggerHook},
		{method: http.MethodPost, path: registryPath + "/regenerateTriggerHook", action: acrAction + "/regenerateTriggerHook/action", what: "Replace that secret. Not one of Azure's.", handle: s.regenerateTriggerHook},
	}
}

// listTriggerHook shows the hook of a registry.
func (s *Server) listTriggerHook(req *request) (*answer, error) {
	return s.triggerHook(req, s.c.AdminUsers.HookSecret)
}

// regenerateTriggerHook replaces the secret of the hook of a registry.
func (s *Server) regenerateTriggerHook(req *request) (*answer, error) {
	return s.triggerHook(req, s.c.AdminUsers.RegenerateHookSecret)
}

func (s *Server) triggerHook(req *request, secret func(context.Context, drydock.ResourceID) (string, error)) (*answer, error) {
	registry, err := s.find(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	text, err := secret(req.Context(), registry.ID)
	if err != nil {
		return nil, err
	}
	u := s.c.RegistryHooks + strings.ToLower(registry.ID.Name())
	return ok(object{"url": u, "secret": text, "urlWithSecret": u + "?token=" + text})
}
