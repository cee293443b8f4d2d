package cli

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/profile"
)

// identityFlags say which of the identities of a run or machine signs in; there
// is no need to if it has one.
type identityFlags struct{ client, object, resource string }

func (i *identityFlags) define(f *flags) {
	f.StringVar(&i.client, "client-id", "", "client id of the identity, if there are several")
	f.StringVar(&i.object, "object-id", "", "object id of the identity, if there are several")
	f.StringVar(&i.resource, "resource-id", "", "resource id of the identity, if there are several")
}

// account returns the account of the identity. Older scripts name it with
// --username, by its client id or its resource id.
func (i *identityFlags) account(c *call, user string) (profile.Account, error) {
	a := profile.Account{Kind: profile.ManagedIdentity, ClientID: i.client, ObjectID: i.object, ResourceID: i.resource}
	if strings.HasPrefix(user, "/") {
		a.ResourceID += user
	} else {
		a.ClientID += user
	}
	given := 0
	for _, id := range []string{i.client, i.object, i.resource, user} {
		if id != "" {
			given++
		}
	}
	if given > 1 {
		return a, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "--client-id, --object-id, --resource-id and --username/-u are names of one identity: give one of them"))
	}
	return a, nil
}

func managedIdentity(s *session) (*azidentity.ManagedIdentityCredential, error) {
	o := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: s.clientOptions()}
	switch a := s.account; {
	case a.ClientID != "":
		o.ID = azidentity.ClientID(a.ClientID)
	case a.ObjectID != "":
		o.ID = azidentity.ObjectID(a.ObjectID)
	case a.ResourceID != "":
		o.ID = azidentity.ResourceID(a.ResourceID)
	}
	return azidentity.NewManagedIdentityCredential(o)
}

// signInIdentity gets a first token, which says who the identity is.
func signInIdentity(c *call, s *session) error {
	credential, err := s.credential()
	if err != nil {
		return err
	}
	token, err := credential.GetToken(c.ctx, policy.TokenRequestOptions{Scopes: []string{s.cloud.Audience + "/.default"}})
	if err != nil {
		return explainIdentity(err, c.Name)
	}
	var claims struct {
		Object string `json:"oid"`
		Tenant string `json:"tid"`
	}
	// It is the server's to verify; what can't be read is only not known.
	if parts := strings.Split(token.Token, "."); len(parts) == 3 {
		if text, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
			_ = json.Unmarshal(text, &claims)
		}
	}
	s.account.PrincipalID, s.account.Tenant = claims.Object, claims.Tenant
	return nil
}

// explainIdentity gives an error of the endpoint of identities. The endpoint of a
// run says itself what its task lacks.
func explainIdentity(err error, program string) error {
	var refused *azidentity.AuthenticationFailedError
	if errors.As(err, &refused) && refused.RawResponse != nil {
		message := problemOf(refused.RawResponse).Message
		if message == "" {
			message = refused.RawResponse.Status
		}
		return drydock.Errorf(drydock.Denied, "signing in: %s", message)
	}
	return drydock.Errorf(drydock.Denied, "signing in with an identity: %w", err).
		WithHint("what is no step of a run and no machine of Azure has none; sign in with %s login --service-principal", program)
}

// noSubscription says that somebody has signed in who may not do anything.
func noSubscription(c *call, a profile.Account) error {
	e := drydock.Errorf(drydock.Denied, "%s may use no subscription", a.Name())
	assignee := a.PrincipalID
	if assignee == "" {
		return e.WithHint("ask an owner for a role assignment, or add --allow-no-subscriptions")
	}
	e.Message = "the identity " + assignee + " may use no subscription"
	return e.WithHint("an owner can give it a role: %s role assignment create --assignee %s --role Contributor --scope ID; or add --allow-no-subscriptions", c.Name, assignee)
}
