package arm

import (
	"context"
	"net/http"
	"slices"

	"github.com/drydockhq/drydock"
)

var registryFields = slices.Concat(
	kinds(anObject, "properties", "sku", "tags", "identity", "properties.policies", "properties.networkRuleSet", "properties.encryption", "properties.taskTriggers"),
	kinds(aString, "tags{}", "sku.tier"),
	kinds(aBool, "properties.adminUserEnabled", "properties.anonymousPullEnabled", "properties.dataEndpointEnabled"),
	[]field{
		{path: "location", kind: aString, min: 1, max: 90},
		{path: "sku.name", kind: aString, min: 1, max: 64},
		anyOf("properties.publicNetworkAccess", "Enabled", "Disabled"),
		anyOf("properties.networkRuleBypassOptions", "AzureServices", "None"),
		anyOf("properties.zoneRedundancy", "Enabled", "Disabled"),
		anyOf("properties.taskTriggers.status", "Enabled", "Paused"),
		anyOf("properties.networkRuleSet.defaultAction", "Allow", "Deny"),
		anyOf("properties.policies.trustPolicy.type", "Notary"),
		{path: "properties.policies.retentionPolicy.days", kind: anInt, min: 0, max: 365},
		{path: "properties.policies.softDeletePolicy.retentionDays", kind: anInt, min: 1, max: 90},
	},
	switches("enabled", "disabled", "properties.encryption.status",
		"properties.policies.quarantinePolicy.status", "properties.policies.trustPolicy.status",
		"properties.policies.retentionPolicy.status", "properties.policies.exportPolicy.status",
		"properties.policies.softDeletePolicy.status", "properties.policies.azureADAuthenticationAsArmPolicy.status"),
	identityFields,
)

// registryDefaults are what Azure shows for what a client did not say.
func registryDefaults() object {
	return object{
		"tags": object{},
		"sku":  object{"name": "Basic"},
		"properties": object{
			"adminUserEnabled": false, "anonymousPullEnabled": false, "dataEndpointEnabled": false,
			"dataEndpointHostNames": []any{}, "privateEndpointConnections": []any{},
			"publicNetworkAccess": "Enabled", "networkRuleBypassOptions": "AzureServices", "zoneRedundancy": "Disabled",
			"networkRuleSet": object{"defaultAction": "Allow", "ipRules": []any{}},
			"encryption":     object{"status": "disabled"},
			"taskTriggers":   object{"status": "Enabled"},
			"policies": object{
				"quarantinePolicy":                 object{"status": "disabled"},
				"trustPolicy":                      object{"type": "Notary", "status": "disabled"},
				"retentionPolicy":                  object{"days": 7, "status": "disabled"},
				"exportPolicy":                     object{"status": "enabled"},
				"softDeletePolicy":                 object{"retentionDays": 7, "status": "disabled"},
				"azureADAuthenticationAsArmPolicy": object{"status": "enabled"},
			},
		},
	}
}

// computedOfRegistry are the properties that only the server sets.
var computedOfRegistry = []string{"loginServer", "creationDate", "provisioningState", "status", "dataEndpointHostNames", "privateEndpointConnections"}

func (s *Server) registryDoc(ctx context.Context, st *stored) (object, error) {
	doc := st.envelope()
	fill(doc, registryDefaults())
	if sku := child(doc, "sku"); sku["tier"] == nil {
		sku["tier"] = sku["name"]
	}
	properties := child(doc, "properties")
	properties["loginServer"] = s.loginServer(ctx, st.ID.Name())
	properties["creationDate"] = timestamp(st.Created)
	properties["provisioningState"] = st.state()
	return doc, s.showIdentity(ctx, st, doc)
}

func (s *Server) registryAnswer(ctx context.Context, status int, st *stored) (*answer, error) {
	doc, err := s.registryDoc(ctx, st)
	if err != nil {
		return nil, err
	}
	return st.answer(status, doc), nil
}

func (s *Server) showRegistry(req *request) (*answer, error) {
	st, err := s.find(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	return s.registryAnswer(req.Context(), http.StatusOK, st)
}

func (s *Server) listRegistries(req *request) (*answer, error) {
	return s.listOf(req, registryType, s.registryDoc)
}

// listOf lists the resources of a type below the request's scope that its
// principal may read.
func (s *Server) listOf(req *request, kind string, show shower) (*answer, error) {
	if req.scope.Group != "" {
		if _, err := s.find(req.Context(), req.scope); err != nil {
			return nil, err
		}
	}
	found, err := s.c.Resources.Resources(req.Context(), drydock.ResourceFilter{Below: req.scope, Type: kind})
	if err != nil {
		return nil, err
	}
	var docs []any
	for _, r := range found {
		if !req.rights.Allow(kind+"/read", r.ID) {
			continue
		}
		st, err := open(r)
		if err != nil {
			return nil, err
		}
		doc, err := show(req.Context(), st)
		if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
	return req.page(docs)
}

func (s *Server) putRegistry(req *request) (*answer, error) {
	ctx := req.Context()
	st, status, err := s.putAs(req, registryFields, func(st *stored, next object) error {
		if !st.exists() {
			if err := s.nameFree(ctx, req.scope.Name()); err != nil {
				return err
			}
			st.GlobalName = true
		}
		if err := st.takeLocation(next, ""); err != nil {
			return err
		}
		keepTaskTriggers(next, st.doc)
		had := assigned(st.doc)
		st.doc = withoutComputed(next, computedOfRegistry...)
		if err := refuseForeign(st.doc, foreignToRegistries); err != nil {
			return err
		}
		if err := s.takeIdentity(st); err != nil {
			return err
		}
		return s.checkAssigned(req, had, st)
	})
	if err != nil {
		return nil, s.takenIfConflict(ctx, err, req.scope.Name(), status)
	}
	if err := s.keepIdentity(ctx, st); err != nil {
		return nil, err
	}
	if status == http.StatusCreated && s.c.OnCreate != nil {
		s.c.OnCreate(ctx, st.Resource)
	}
	return s.registryAnswer(ctx, status, st)
}

// keepTaskTriggers leaves the triggers of a registry as they are when a client
// replaces it that does not know of them: what is held should not go on by the
// way.
func keepTaskTriggers(next, old object) {
	if held, ok := at(old, "properties.taskTriggers").(object); ok && at(next, "properties.taskTriggers") == nil {
		child(next, "properties")["taskTriggers"] = held
	}
}

func (s *Server) patchRegistry(req *request) (*answer, error) {
	st, err := s.patchAs(req, registryFields, func(st *stored, next object) error {
		withoutComputed(next, computedOfRegistry...)
		if tags, ok := next["tags"]; ok {
			delete(next, "tags")
			st.doc["tags"] = tags
		}
		had := assigned(st.doc)
		foldIdentities(st.doc, next)
		if err := refuseForeign(next, foreignToRegistries); err != nil {
			return err
		}
		st.doc = merge(st.doc, next)
		if err := s.takeIdentity(st); err != nil {
			return err
		}
		return s.checkAssigned(req, had, st)
	})
	if err != nil {
		return nil, err
	}
	if err := s.keepIdentity(req.Context(), st); err != nil {
		return nil, err
	}
	return s.registryAnswer(req.Context(), http.StatusOK, st)
}
