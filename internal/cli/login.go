package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/profile"
)

type loginFlags struct {
	endpoint, ca string
	user, secret string
	tenant       string
	principal    bool
	identity     bool
	withoutAny   bool
	byCode       bool
	of           identityFlags
}

func loginCommand() command {
	var l loginFlags
	return command{
		use: "login", short: "Sign in to a server",
		example: "  drydock login --endpoint https://management.drydock.test\n  drydock login --endpoint https://management.drydock.test --service-principal -u ID -p SECRET --tenant TENANT",
		flags: func(f *flags) {
			f.StringVar(&l.endpoint, "endpoint", "", "URL of the server: https://management.DOMAIN (default: the cloud in use)")
			f.StringVar(&l.ca, "ca-file", "", "certificates of the server's authority, in PEM form, where the system does not trust it")
			f.BoolVar(&l.principal, "service-principal", false, "the user is a service principal")
			f.StringVarP(&l.user, "username", "u", "", "user name, or client id of the service principal")
			f.StringVarP(&l.secret, "password", "p", "", "password of the user, or secret of the service principal; asked for if left out")
			f.BoolVar(&l.byCode, "use-device-code", false, "sign in in a browser, here or elsewhere, with a code; the default without --username")
			f.StringVarP(&l.tenant, "tenant", "t", "", "tenant; a service principal has to name it")
			f.BoolVarP(&l.identity, "identity", "i", false, "sign in with the identity of the run or machine that this is")
			l.of.define(f)
			f.BoolVar(&l.withoutAny, "allow-no-subscriptions", false, "sign in even if no subscription can be used")
		},
		run: l.run,
	}
}

func (l *loginFlags) run(c *call) (any, error) {
	account, err := l.account(c)
	if err != nil {
		return nil, err
	}
	p, err := c.store.Load()
	if err != nil {
		return nil, err
	}
	cloud, err := l.cloud(c, p)
	if err != nil {
		return nil, err
	}
	if err := c.store.DropTokens(); err != nil {
		return nil, err
	}
	s := &session{app: c.app, profile: p, cloud: cloud, account: account}
	if s.http, err = c.httpClient(cloud); err != nil {
		return nil, err
	}
	switch account.Kind {
	case profile.User:
		err = l.signInPerson(c, s)
	case profile.ManagedIdentity:
		err = signInIdentity(c, s)
	}
	if err != nil {
		return nil, err
	}
	account = s.account
	if account.Subscriptions, err = subscriptionsOf(c, s); err != nil {
		return nil, err
	}
	if len(account.Subscriptions) == 0 && !l.withoutAny {
		return nil, noSubscription(c, account)
	}
	if len(account.Subscriptions) > 0 {
		account.Default = account.Subscriptions[0].ID
	}
	if _, builtIn := (&profile.Profile{}).Cloud(cloud.Name); !builtIn {
		p.Register(cloud)
	}
	p.SignIn(cloud.Name, account)
	p.Active = cloud.Name
	if err := c.store.Save(p); err != nil {
		return nil, err
	}
	return accounts(p), nil
}

// account returns who the flags say signs in.
func (l *loginFlags) account(c *call) (profile.Account, error) {
	if l.identity {
		return l.of.account(c, l.user)
	}
	if l.byCode && (l.user != "" || l.secret != "" || l.principal) {
		return profile.Account{}, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "--use-device-code excludes --username, --password and --service-principal"))
	}
	// A client id is no name of a person, whatever it is said to be.
	if !l.principal && !guidForm.MatchString(l.user) {
		if l.secret != "" && l.user == "" {
			return profile.Account{}, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "--username/-u is required with --password"))
		}
		return profile.Account{Kind: profile.User, Tenant: l.tenant}, l.askPassword(c)
	}
	for flag, value := range map[string]string{"--username/-u": l.user, "--tenant/-t": l.tenant} {
		if value == "" {
			return profile.Account{}, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "%s is required: a service principal signs in with its id, secret and tenant", flag).
				WithHint("%s login --service-principal -u ID -p SECRET --tenant TENANT; the first start of drydockd serve prints them", c.Name))
		}
	}
	if err := l.askPassword(c); err != nil {
		return profile.Account{}, err
	}
	return profile.Account{Kind: profile.ServicePrincipal, Tenant: l.tenant, ClientID: l.user, Secret: l.secret}, nil
}

// askSecret reads a line from the terminal, which does not show it.
func (a *app) askSecret(prompt string) (string, error) {
	f, ok := a.Stdin.(*os.File)
	if !ok || !isTerminal(f) {
		return "", drydock.Errorf(drydock.Invalid, "--password/-p is required where there is no terminal to ask at")
	}
	fmt.Fprint(a.Stderr, prompt)
	text, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(a.Stderr)
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

func logoutCommand() command {
	return command{
		use: "logout", short: "Sign out of the cloud in use",
		run: func(c *call) (any, error) {
			p, err := c.store.Load()
			if err != nil {
				return nil, err
			}
			delete(p.Accounts, p.Active)
			if err := errors.Join(c.store.DropTokens(), c.store.DropSession(p.Active)); err != nil {
				return nil, err
			}
			return nil, c.store.Save(p)
		},
	}
}
