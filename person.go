package drydock

import "context"

// The kinds of principal that are people, and groups of them.
const (
	// User is a person, who signs in with a name and a password or at a provider
	// of identities elsewhere.
	User PrincipalKind = "User"
	// Group is a group of people at a provider elsewhere. Roles are given to it,
	// and nobody signs in as it.
	Group PrincipalKind = "Group"
)

// Person is what a principal of the kind User has beside its id and name.
type Person struct {
	Login    string // user principal name, in lower case, as "alice@drydock.test"; unique
	Issuer   string // of the provider elsewhere that vouches for the person; empty for who signs in with a password
	Disabled bool   // may not sign in, and its tokens are refused
	// MustChange says that the password has to be replaced before the next
	// sign-in.
	MustChange bool
}

// PeopleStore finds people. A person that is not there is an error with code
// NotFound.
type PeopleStore interface {
	// PrincipalByLogin returns the person with a login, which is in lower case.
	PrincipalByLogin(ctx context.Context, login string) (Principal, error)
}

// Known returns what others know a principal by: the login of a person, the
// client id of others.
func (p Principal) Known() string {
	if p.Person != nil {
		return p.Person.Login
	}
	return p.AppID
}
