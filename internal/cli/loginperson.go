package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/profile"
)

// clientID is the Azure CLI's, which every authority knows.
const clientID = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"

// signInPerson signs a person in with a name and a password, or without a name
// with a code that is entered in a browser.
func (l *loginFlags) signInPerson(c *call, s *session) error {
	client, err := s.person()
	if err != nil {
		return err
	}
	scopes := []string{s.cloud.Audience + "/.default"}
	var result public.AuthResult
	if l.user == "" {
		result, err = signInByCode(c, client, scopes)
	} else {
		//lint:ignore SA1019 that there are better ways does not help who has a password only
		result, err = client.AcquireTokenByUsernamePassword(c.ctx, scopes, l.user, l.secret)
	}
	if err != nil {
		return explainPerson(err, s.tenantHint())
	}
	s.account.Username, s.account.HomeID = result.Account.PreferredUsername, result.Account.HomeAccountID
	if s.account.Username == "" {
		s.account.Username = l.user
	}
	return nil
}

// signInByCode waits until the person has entered the code that it shows.
func signInByCode(c *call, client public.Client, scopes []string) (public.AuthResult, error) {
	code, err := client.AcquireTokenByDeviceCode(c.ctx, scopes)
	if err != nil {
		return public.AuthResult{}, err
	}
	fmt.Fprintln(c.Stderr, code.Result.Message)
	return code.AuthenticationResult(c.ctx)
}

// person returns the client of the authority that people sign in with.
func (s *session) person() (public.Client, error) {
	authority := strings.TrimRight(s.cloud.ActiveDirectory, "/")
	if s.tenant() != "adfs" {
		tenant := s.account.Tenant
		if tenant == "" {
			tenant = "organizations"
		}
		authority += "/" + tenant
	}
	return public.New(clientID, public.WithAuthority(authority), public.WithHTTPClient(s.http),
		public.WithInstanceDiscovery(false), public.WithCache(sessionFile{s.app.store, s.cloud.Name}))
}

// sessionFile keeps what MSAL knows of the people who are signed in to a cloud.
type sessionFile struct {
	store profile.Store
	cloud string
}

var _ cache.ExportReplace = sessionFile{}

// Replace implements cache.ExportReplace.
func (f sessionFile) Replace(_ context.Context, to cache.Unmarshaler, _ cache.ReplaceHints) error {
	text, err := f.store.Session(f.cloud)
	if err != nil || len(text) == 0 {
		return err
	}
	// What can't be read has the person sign in again.
	_ = to.Unmarshal(text)
	return nil
}

// Export implements cache.ExportReplace.
func (f sessionFile) Export(_ context.Context, from cache.Marshaler, _ cache.ExportHints) error {
	text, err := from.Marshal()
	if err != nil {
		return err
	}
	return f.store.KeepSession(f.cloud, text)
}

// personCredential is a person that has signed in.
type personCredential struct{ session *session }

var _ azcore.TokenCredential = personCredential{}

// GetToken implements azcore.TokenCredential.
func (p personCredential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	s := p.session
	client, err := s.person()
	if err != nil {
		return azcore.AccessToken{}, err
	}
	accounts, err := client.Accounts(ctx)
	if err != nil {
		return azcore.AccessToken{}, err
	}
	for _, account := range accounts {
		if account.HomeAccountID != s.account.HomeID {
			continue
		}
		result, err := client.AcquireTokenSilent(ctx, o.Scopes, public.WithSilentAccount(account), public.WithClaims(o.Claims))
		if err != nil {
			return azcore.AccessToken{}, explainPerson(err, s.tenantHint())
		}
		return azcore.AccessToken{Token: result.AccessToken, ExpiresOn: result.ExpiresOn}, nil
	}
	return azcore.AccessToken{}, drydock.Errorf(drydock.Denied, "%s is signed in no more", s.account.Username).
		WithHint("sign in again with %s login%s", s.app.Name, s.tenantHint())
}

// tenantHint is the flag that a person signs in to a tenant with.
func (s *session) tenantHint() string {
	if s.account.Tenant == "" {
		return ""
	}
	return " --tenant " + s.account.Tenant
}

// askPassword asks for the password of somebody, unless it is given.
func (l *loginFlags) askPassword(c *call) (err error) {
	if l.secret == "" && l.user != "" {
		l.secret, err = c.askSecret("Password: ")
	}
	return err
}
