package cli

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/drydockhq/drydock/internal/cli/args"
)

// identitiesVersion is the api-version of user-assigned identities.
const identitiesVersion = "2023-01-31"

const (
	callerIdentity = "[caller]"
	noIdentity     = "none"
)

// sourceAuth says whether runs may use their own registry, and as whom.
type sourceAuth struct {
	mode args.Enum
	id   string
}

// define defines the flags; whose names the identities that there are.
func (s *sourceAuth) define(f *flags, what, whose string) {
	s.mode.Choices = []string{"Default", "None"}
	f.Var(&s.mode, "auth-mode", "whether "+what+" may use its registry")
	f.StringVar(&s.id, "source-acr-auth-id", "", "as whom "+what+" uses its registry: "+whose+", or none")
}

// check refuses flags that exclude each other.
func (s *sourceAuth) check() error {
	if s.identity() != "" && strings.EqualFold(s.mode.Value, "None") {
		return fmt.Errorf("--auth-mode None and --source-acr-auth-id %s exclude each other", s.id)
	}
	return nil
}

// identity returns as whom the registry is used, "" for nobody in particular.
func (s *sourceAuth) identity() string {
	if strings.EqualFold(s.id, noIdentity) {
		return ""
	}
	return s.id
}

// credentials returns what requests say, nil to leave it to the server; client is
// the identity as the server takes it.
func (s *sourceAuth) credentials(client string) object {
	source := with("loginMode", s.mode.Value, "identity", client)
	if strings.EqualFold(s.id, noIdentity) {
		source["loginMode"], source["identity"] = "None", nil
	}
	if len(source) == 0 {
		return nil
	}
	return object{"sourceRegistry": source}
}

// ofCaller returns what requests for runs without a task say.
func (s *sourceAuth) ofCaller() (object, error) {
	if id := s.identity(); id != "" && !strings.EqualFold(id, callerIdentity) {
		return nil, fmt.Errorf("argument --source-acr-auth-id: %q is neither %s nor %s", s.id, callerIdentity, noIdentity)
	}
	return s.credentials(strings.ToLower(s.identity())), s.check()
}

// ofTask returns what a task says. A user-assigned identity is named by its
// client id there, and by its resource id here.
func (s *sourceAuth) ofTask(c *call) (object, error) {
	if err := s.check(); err != nil {
		return nil, usageError(c.cmd, err)
	}
	id := s.identity()
	switch {
	case id == "", strings.EqualFold(id, systemIdentity):
		return s.credentials(strings.ToLower(id)), nil
	case !strings.HasPrefix(strings.ToLower(id), "/subscriptions/"):
		return nil, usageError(c.cmd, fmt.Errorf("argument --source-acr-auth-id: %q is neither %s, nor the id of a user-assigned identity, nor %s", s.id, systemIdentity, noIdentity))
	}
	a, err := c.api()
	if err != nil {
		return nil, err
	}
	found, err := a.do(c.ctx, request{method: http.MethodGet, path: id, version: identitiesVersion})
	return s.credentials(text(found, "properties", "clientId")), err
}

// assign returns the identity of a task that has one already, with the one that
// its runs use their registry as; nil if it has that.
func (s *sourceAuth) assign(now any) object {
	id := s.identity()
	if id == "" {
		return nil
	}
	var ids []string
	if strings.HasPrefix(strings.ToLower(text(now, "type")), "systemassigned") {
		ids = append(ids, systemIdentity)
	}
	users, _ := at(now, "userAssignedIdentities").(object)
	for user := range users {
		ids = append(ids, user)
	}
	for _, has := range ids {
		if strings.EqualFold(has, id) {
			return nil
		}
	}
	return identityOf(append(ids, id))
}
