package arm

import (
	"net/http"
	"strings"
)

// putPolicies adds, replaces or removes access policies of a vault.
func (s *Server) putPolicies(req *request) (*answer, error) {
	doc, err := req.decodeAs(vaultFields)
	if err != nil {
		return nil, err
	}
	operation := strings.ToLower(req.params["operation"])
	switch operation {
	case "add", "replace", "remove":
	default:
		return nil, badRequest("InvalidOperationKind", "Access policies can be added, replaced and removed, not '%s'.", shorten(operation))
	}
	req.scope = req.scope.Parent()
	st, err := s.alter(req, func(st *stored) error {
		child(st.doc, "properties")["accessPolicies"] = changePolicies(list(st.doc, "properties.accessPolicies"), operation, list(doc, "properties.accessPolicies"))
		return s.ownPolicies(st)
	})
	if err != nil {
		return nil, err
	}
	vault := s.vaultDoc(req, st)
	return st.answer(http.StatusOK, object{
		"id": text(vault, "id") + "/accessPolicies/", "type": vaultType + "/accessPolicies", "location": vault["location"],
		"properties": object{"accessPolicies": at(vault, "properties.accessPolicies")},
	}), nil
}
