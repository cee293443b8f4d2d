package cli

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/profile"
)

// credential returns the account's, which keeps its tokens for later commands.
func (s *session) credential() (azcore.TokenCredential, error) {
	if s.account.Kind == profile.User {
		return personCredential{s}, nil // which MSAL keeps the tokens of
	}
	next, err := s.newCredential()
	if err != nil {
		return nil, err
	}
	return &keptCredential{session: s, next: next}, nil
}

func (s *session) newCredential() (azcore.TokenCredential, error) {
	switch s.account.Kind {
	case profile.ServicePrincipal:
		return azidentity.NewClientSecretCredential(s.tenant(), s.account.ClientID, s.account.Secret, &azidentity.ClientSecretCredentialOptions{
			ClientOptions: s.clientOptions(), DisableInstanceDiscovery: true,
		})
	case profile.ManagedIdentity:
		return managedIdentity(s)
	}
	return nil, drydock.Errorf(drydock.Invalid, "the account is of the unknown kind %q", s.account.Kind).WithHint("sign in again with drydock login")
}

// keptCredential keeps tokens in the client's store.
type keptCredential struct {
	session *session
	next    azcore.TokenCredential
}

// GetToken implements azcore.TokenCredential.
func (k *keptCredential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	s, now := k.session, k.session.app.Now()
	key := strings.Join(append([]string{s.cloud.Name, s.account.Tenant, s.account.ClientID}, o.Scopes...), " ")
	if o.Claims == "" {
		if t, ok := s.app.store.Token(key, now); ok {
			return azcore.AccessToken{Token: t.Text, ExpiresOn: t.Expires}, nil
		}
	}
	t, err := k.next.GetToken(ctx, o)
	if err != nil {
		return t, err
	}
	// Where nothing can be kept, the next command signs in again.
	if err := s.app.store.KeepToken(key, profile.Token{Text: t.Token, Expires: t.ExpiresOn}, now); err != nil && s.app.global.debug {
		s.app.say("DEBUG: %v", err)
	}
	return t, nil
}
