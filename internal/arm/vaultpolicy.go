package arm

import (
	"net/http"
	"strings"
)

// putPolicies adds, replaces or removes access policies of a vault.
func (s *Server) putPolicies(req *request) (*answer, error) {
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	if err := check(doc, vaultFields); err != nil {
		return nil, err
	}
	operation := strings.ToLower(req.params["operation"])
	switch operation {
	case "add", "replace", "remove":
	default:
		return nil, badRequest("InvalidOperationKind", "Access policies can be added, replaced and removed, not '%s'.", shorten(operation))
	}
	req.scope = req.scope.Parent()
	answer, err := s.alterVault(req, func(st *stored) error {
		child(st.doc, "properties")["accessPolicies"] = changePolicies(list(st.doc, "properties.accessPolicies"), operation, list(doc, "properties.accessPolicies"))
		return s.ownPolicies(st)
	})
	if err != nil {
		return nil, err
	}
	vault, _ := answer.body.(object)
	answer.status = http.StatusOK
	answer.body = object{
		"id": text(vault, "id") + "/accessPolicies/", "type": vaultType + "/accessPolicies", "location": vault["location"],
		"properties": object{"accessPolicies": at(vault, "properties.accessPolicies")},
	}
	return answer, nil
}
