package arm

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
)

// webhookName is ACR's rule for the names of webhooks.
var webhookName = regexp.MustCompile(`^[A-Za-z0-9]{5,50}$`)

var webhookFields = slices.Concat(
	kinds(anObject, "properties", "tags", "properties.customHeaders"),
	kinds(aString, "tags{}", "properties.customHeaders{}"),
	[]field{
		{path: "location", kind: aString, min: 1, max: 90},
		{path: "properties.serviceUri", kind: aString, min: 1, max: 2048},
		{path: "properties.actions", kind: aList},
		anyOf("properties.actions[]", drydock.WebhookActions()...),
		anyOf("properties.status", "enabled", "disabled"),
		{path: "properties.scope", kind: aString, max: 512, form: regexp.MustCompile(`^$|^[a-z0-9][a-z0-9._/-]*(:(\*|[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?$`)},
		{path: "properties.secret", kind: aString, min: 8, max: 256},
	},
)

// wholeWebhookFields must be there in a webhook, though not in a change of one.
var wholeWebhookFields = []field{
	{path: "properties", kind: anObject, required: true},
	{path: "properties.serviceUri", kind: aString, required: true},
	{path: "properties.actions", kind: aList, required: true},
}

// webhookSecrets visits what of a webhook is shown by getCallbackConfig alone:
// tokens are often in URLs. The headers are there as one text; see sealHeaders.
func webhookSecrets(doc object, visit secretVisitor) {
	if properties, ok := doc["properties"].(object); ok {
		for _, key := range []string{"serviceUri", "secret", "customHeaders"} {
			visit(key, properties, key)
		}
	}
}

// sealHeaders makes one secret of the headers of a webhook.
func sealHeaders(properties object) error {
	headers, ok := properties["customHeaders"].(object)
	if !ok || len(headers) == 0 {
		delete(properties, "customHeaders")
		return nil
	}
	text, err := json.Marshal(headers)
	if err != nil {
		return err
	}
	properties["customHeaders"] = string(text)
	return nil
}

// revealWebhook returns the document of a webhook as its client wrote it.
func (s *Server) revealWebhook(st *stored) (object, error) {
	doc, err := s.reveal(st, webhookSecrets)
	if err != nil {
		return nil, err
	}
	if headers := text(doc, "properties.customHeaders"); headers != "" {
		if child(doc, "properties")["customHeaders"], err = parseObject([]byte(headers)); err != nil {
			return nil, err
		}
	}
	return doc, nil
}

func (s *Server) putWebhook(req *request) (*answer, error) {
	if name := req.scope.Name(); !webhookName.MatchString(name) {
		return nil, badRequest("InvalidResourceName", "The webhook name '%s' is invalid: it must have 5 to 50 letters and digits.", shorten(name))
	}
	return s.hastened(req, func() (*answer, error) {
		return s.putChild(req, webhookFields, func(_ context.Context, st *stored, next object) error {
			if err := s.checkWebhook(next); err != nil {
				return err
			}
			if text(next, "properties.secret") == "" {
				old, err := s.webhookDetails(st)
				if err != nil {
					return err
				}
				child(next, "properties")["secret"] = old["secret"]
			}
			st.doc = withoutComputed(next, "provisioningState")
			return nil
		}, s.finishWebhook, s.webhookDoc)
	})
}

func (s *Server) patchWebhook(req *request) (*answer, error) {
	return s.hastened(req, func() (*answer, error) {
		return s.patchChild(req, webhookFields, func(_ context.Context, st *stored, patch object) error {
			old, err := s.revealWebhook(st)
			if err != nil {
				return err
			}
			withoutComputed(patch, "provisioningState")
			next := merge(old, without(patch, "tags"))
			if tags, there := patch["tags"]; there {
				next["tags"] = tags
			}
			// Clients clear the headers with an empty object.
			if headers, there := child(patch, "properties")["customHeaders"]; there && headers != nil {
				child(next, "properties")["customHeaders"] = headers
			}
			if err := s.checkWebhook(next); err != nil {
				return err
			}
			st.doc = next
			return nil
		}, s.finishWebhook, s.webhookDoc)
	})
}

// hastened lets what waits for a webhook be tried when it has been changed.
func (s *Server) hastened(req *request, change func() (*answer, error)) (*answer, error) {
	a, err := change()
	if err != nil {
		return nil, err
	}
	return a, s.c.Outbox.Hasten(req.Context(), req.scope)
}

// finishWebhook makes a webhook ready to be stored. One that has no secret gets
// one: all that is sent is signed.
func (s *Server) finishWebhook(st *stored) error {
	properties := child(st.doc, "properties")
	if text(properties, "secret") == "" {
		properties["secret"] = rand.Text() + rand.Text()
	}
	if err := sealHeaders(properties); err != nil {
		return err
	}
	return s.hide(st, webhookSecrets)
}

// webhookDetails returns the properties of a webhook with what is secret; empty
// ones if it is not there.
func (s *Server) webhookDetails(st *stored) (object, error) {
	doc, err := s.revealWebhook(st)
	if err != nil {
		return nil, err
	}
	return child(doc, "properties"), nil
}

func (s *Server) webhookDoc(_ context.Context, st *stored) (object, error) {
	doc := st.envelope()
	properties := child(doc, "properties")
	fill(properties, object{"status": "enabled", "scope": ""})
	properties["provisioningState"] = st.state()
	return doc, nil
}

func (s *Server) showWebhook(req *request) (*answer, error) { return s.showChild(req, s.webhookDoc) }

func (s *Server) listWebhooks(req *request) (*answer, error) {
	return s.listOf(req, webhookType, s.webhookDoc)
}

// showCallback shows where a webhook's messages go.
func (s *Server) showCallback(req *request) (*answer, error) {
	st, err := s.find(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	details, err := s.webhookDetails(st)
	if err != nil {
		return nil, err
	}
	body := object{"serviceUri": details["serviceUri"], "secret": details["secret"]}
	if headers, ok := details["customHeaders"].(object); ok {
		body["customHeaders"] = headers
	}
	return &answer{status: http.StatusOK, body: body}, nil
}

// webhookOf is the typed view of a webhook.
func webhookOf(st *stored) drydock.Webhook {
	w := drydock.Webhook{ID: st.ID, Enabled: enabled(st.doc, "properties.status"), Scope: text(st.doc, "properties.scope")}
	for _, e := range list(st.doc, "properties.actions") {
		w.Actions = append(w.Actions, strings.ToLower(asText(e)))
	}
	return w
}

// Webhooks returns the webhooks of a registry.
func (s *Server) Webhooks(ctx context.Context, registry drydock.ResourceID) ([]drydock.Webhook, error) {
	found, err := s.c.Resources.Resources(ctx, drydock.ResourceFilter{Below: registry, Type: webhookType})
	if err != nil {
		return nil, err
	}
	var all []drydock.Webhook
	for _, r := range found {
		st, err := open(r)
		if err != nil {
			return nil, err
		}
		if !st.deleting() {
			all = append(all, webhookOf(st))
		}
	}
	return all, nil
}
