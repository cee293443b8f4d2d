package graph

import (
	"time"

	"github.com/drydockhq/drydock"
)

// when writes a time as Graph does.
func when(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// startMargin is how much later than now a new secret's beginning may be: the
// clocks of clients differ.
const startMargin = 15 * time.Minute

// passwordDocs are the secrets of a principal, without what is secret.
func passwordDocs(p drydock.Principal) []any {
	docs := []any{}
	for _, secret := range p.Secrets {
		docs = append(docs, passwordDoc(secret.ID, secret.Name, secret.Created, secret.Expires))
	}
	return docs
}

func passwordDoc(id, name string, created, expires time.Time) object {
	doc := object{
		"keyId": id, "displayName": nil, "startDateTime": when(created), "endDateTime": nil,
		"secretText": nil, "hint": nil, "customKeyIdentifier": nil,
	}
	if name != "" {
		doc["displayName"] = name
	}
	if !expires.IsZero() {
		doc["endDateTime"] = when(expires)
	}
	return doc
}

func (s *Server) addApplicationPassword(req *request) (*answer, error) {
	p, err := s.findApplication(req)
	if err != nil {
		return nil, err
	}
	return s.addPassword(req, p)
}

func (s *Server) addServicePrincipalPassword(req *request) (*answer, error) {
	p, err := s.findServicePrincipal(req)
	if err != nil {
		return nil, err
	}
	return s.addPassword(req, p)
}

func (s *Server) removeApplicationPassword(req *request) (*answer, error) {
	p, err := s.findApplication(req)
	if err != nil {
		return nil, err
	}
	return s.removePassword(req, p)
}

func (s *Server) removeServicePrincipalPassword(req *request) (*answer, error) {
	p, err := s.findServicePrincipal(req)
	if err != nil {
		return nil, err
	}
	return s.removePassword(req, p)
}

func (s *Server) addPassword(req *request, p drydock.Principal) (*answer, error) {
	name, expires, err := s.newPassword(req)
	if err != nil {
		return nil, err
	}
	c, err := s.c.Secrets.AddSecret(req.Context(), p.ID, name, expires)
	if err != nil {
		return nil, err
	}
	s.log(req, "added a secret", p)
	doc := passwordDoc(c.KeyID, name, c.Created, c.Expires)
	doc["secretText"], doc["hint"] = c.Secret, c.Secret[:3]
	doc["@odata.context"] = req.context("microsoft.graph.passwordCredential")
	return ok(doc)
}

// newPassword reads what a new secret is to be: its name and when it ends.
func (s *Server) newPassword(req *request) (name string, expires time.Time, err error) {
	doc, err := req.decode()
	if err != nil {
		return "", expires, err
	}
	wanted, _ := doc["passwordCredential"].(object) // may be left out
	if name, err = stringAt(wanted, "displayName"); err != nil {
		return "", expires, err
	}
	start, err := timeAt(wanted, "startDateTime")
	if err == nil && start.After(s.c.Now().Add(startMargin)) {
		err = badRequest("Request_BadRequest", "'startDateTime' is in the future; secrets of this server are good as soon as they are made.")
	}
	if err != nil {
		return "", expires, err
	}
	expires, err = timeAt(wanted, "endDateTime")
	return name, expires, err
}

// timeAt returns a time of a document, zero for none.
func timeAt(doc object, key string) (time.Time, error) {
	text, err := stringAt(doc, key)
	if err != nil || text == "" {
		return time.Time{}, err
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, badRequest("Request_BadRequest", "'%s' is '%s', which is not a time such as 2030-01-31T12:00:00Z.", key, shorten(text))
	}
	return t, nil
}

func (s *Server) removePassword(req *request, p drydock.Principal) (*answer, error) {
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	key, err := stringAt(doc, "keyId")
	if err != nil {
		return nil, err
	}
	if err := s.c.Secrets.RemoveSecret(req.Context(), p.ID, key); drydock.CodeOf(err) == drydock.NotFound {
		return nil, badRequest("Request_BadRequest", "No password credential found with the keyId '%s'.", shorten(key))
	} else if err != nil {
		return nil, err
	}
	s.log(req, "removed a secret", p)
	return done()
}
