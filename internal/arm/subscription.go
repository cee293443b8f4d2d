package arm

import (
	"strings"

	"github.com/drydockhq/drydock"
)

// subscriptionDoc is the one subscription, as ARM shows it.
func (s *Server) subscriptionDoc() object {
	tenant := s.c.Authority.Tenant()
	return object{
		"id": "/subscriptions/" + s.c.Subscription, "subscriptionId": s.c.Subscription,
		"tenantId": tenant, "homeTenantId": tenant,
		"displayName": s.c.SubscriptionName, "state": "Enabled", "managedByTenants": []any{},
		"subscriptionPolicies": object{"locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"},
		"authorizationSource":  "RoleBased",
	}
}

// listSubscriptions shows the subscription to whoever has any role in it.
func (s *Server) listSubscriptions(req *request) (*answer, error) {
	if req.rights.None() {
		return listAnswer(nil, "")
	}
	return listAnswer([]any{s.subscriptionDoc()}, "")
}

func (s *Server) showSubscription(*request) (*answer, error) { return ok(s.subscriptionDoc()) }

func (s *Server) listTenants(req *request) (*answer, error) {
	tenant := s.c.Authority.Tenant()
	return listAnswer([]any{object{
		"id": "/tenants/" + tenant, "tenantId": tenant, "displayName": "Drydock", "tenantCategory": "Home",
		"defaultDomain": s.registryDomain(req.Context()), "domains": []any{s.registryDomain(req.Context())},
	}}, "")
}

// providerDoc describes a resource provider by the types that are served.
func (s *Server) providerDoc(name string) object {
	seen := map[string]bool{}
	types := []any{}
	for _, rt := range s.routes {
		_, path, ok := strings.Cut(rt.path, "/providers/"+name+"/")
		if !ok || rt.unserved || !strings.HasSuffix(path, "}") {
			continue
		}
		var kind []string
		for _, part := range strings.Split(path, "/") {
			if _, variable := placeholder(part); !variable {
				kind = append(kind, part)
			}
		}
		if joined := strings.Join(kind, "/"); !seen[joined] {
			seen[joined] = true
			types = append(types, object{"resourceType": joined, "locations": []any{}, "apiVersions": []any{"2023-07-01", "2019-06-01-preview"}})
		}
	}
	return object{
		"id": "/subscriptions/" + s.c.Subscription + "/providers/" + name, "namespace": name,
		"registrationState": "Registered", "registrationPolicy": "RegistrationRequired", "resourceTypes": types,
	}
}

// providers are the namespaces that are served.
func providers() []string {
	return []string{"Microsoft.Authorization", instanceNamespace, namespace, identityNamespace, vaultNamespace, "Microsoft.Resources"}
}

func (s *Server) listProviders(*request) (*answer, error) {
	var docs []any
	for _, name := range providers() {
		docs = append(docs, s.providerDoc(name))
	}
	return listAnswer(docs, "")
}

func (s *Server) showProvider(req *request) (*answer, error) {
	for _, name := range providers() {
		if strings.EqualFold(name, req.params["namespace"]) {
			return ok(s.providerDoc(name))
		}
	}
	return nil, notFound("InvalidResourceNamespace", "The resource namespace '%s' is invalid.", req.params["namespace"])
}

// listOperations lists the actions that roles can give.
func (s *Server) listOperations(*request) (*answer, error) {
	seen := map[string]bool{}
	var values []any
	for _, rt := range s.routes {
		if !strings.HasPrefix(rt.action, namespace+"/") || seen[rt.action] {
			continue
		}
		seen[rt.action] = true
		parts := strings.Split(rt.action, "/")
		values = append(values, object{
			"name": rt.action, "isDataAction": false, "origin": "user,system",
			"display": object{"provider": namespace, "resource": strings.Join(parts[1:len(parts)-1], "/"), "operation": parts[len(parts)-1], "description": rt.what},
		})
	}
	return listAnswer(values, "")
}

// subscriptionScope is the scope of the one subscription.
func (s *Server) subscriptionScope() drydock.ResourceID {
	return drydock.ResourceID{Subscription: s.c.Subscription}
}
