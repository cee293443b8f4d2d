package cli

import (
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
	"github.com/drydockhq/drydock/internal/cli/profile"
)

type rbacFlags struct {
	name   string
	role   string
	scopes args.List
	years  int
	secret args.Bool
	asJSON args.Bool
	noOp   args.Bool
}

func spCreateForRBAC() command {
	var r rbacFlags
	return command{
		use: "create-for-rbac", short: "Make a service principal with a secret and a role",
		example: "  drydock ad sp create-for-rbac -n ci --role Contributor --scopes $(drydock acr show -n contoso --query id -o tsv)",
		flags: func(f *flags) {
			f.StringVarP(&r.name, "name", "n", "", "name of the service principal (default: made of the time); one that is there gets a new secret (also --display-name)")
			f.StringVar(&r.name, "display-name", "", "")
			f.StringVar(&r.role, "role", "", "name or id of the role")
			f.Var(&r.scopes, "scopes", "ids of what the role is given on: subscription, groups, registries")
			f.IntVar(&r.years, "years", 1, "for how many years the secret is good")
			r.secret.Var(f.FlagSet, "create-password", "make a secret (default: true)")
			r.asJSON.Var(f.FlagSet, "json-auth", "print what other programs take as a file of credentials")
			r.asJSON.Var(f.FlagSet, "sdk-auth", "")
			r.noOp.Var(f.FlagSet, "skip-assignment", "")
			for _, name := range []string{"display-name", "sdk-auth", "skip-assignment"} {
				_ = f.MarkHidden(name) // fails for flags that are not there only
			}
		},
		run: r.run,
	}
}

func (r *rbacFlags) run(c *call) (any, error) {
	if err := r.check(c); err != nil {
		return nil, err
	}
	a, err := c.api()
	if err != nil {
		return nil, err
	}
	g, err := a.session.graph()
	if err != nil {
		return nil, err
	}
	// Before anything is made: a mistake here would leave half of it.
	grants, err := a.grants(c, r.role, r.scopes.Values)
	if err != nil {
		return nil, err
	}
	name := r.name
	if name == "" {
		name = "drydock-" + c.Now().UTC().Format("2006-01-02-15-04-05")
	}
	app, principal, err := g.principalFor(c, name)
	if err != nil {
		return nil, err
	}
	var password any
	if r.secret.Or(true) {
		if password, err = g.replaceSecrets(c, applications, app, newSecret{name: "rbac", expires: c.Now().AddDate(r.years, 0, 0)}); err != nil {
			return nil, err
		}
	}
	if err := r.assign(c, a, grants, text(principal, "id")); err != nil {
		return nil, err
	}
	if password != nil {
		c.say("The output includes a credential that you must protect; it is not shown again.")
	}
	if r.asJSON.Or(false) {
		return a.session.authFile(text(app, "appId"), password), nil
	}
	return object{"appId": text(app, "appId"), "displayName": name, "password": password, "tenant": a.session.account.Tenant}, nil
}

func (r *rbacFlags) check(c *call) error {
	if (r.role == "") != (len(r.scopes.Values) == 0) {
		return usageError(c.cmd, drydock.Errorf(drydock.Invalid, "--role and --scopes go together: a role is given on something"))
	}
	if r.years < 1 {
		return usageError(c.cmd, drydock.Errorf(drydock.Invalid, "argument --years: %d is not a number of years", r.years))
	}
	return nil
}

// assign gives a principal the role on all scopes.
func (r *rbacFlags) assign(c *call, a *api, grants []grant, principal string) error {
	for _, grant := range grants {
		c.say("Creating '%s' role assignment under scope '%s'", r.role, grant.scope)
		if _, err := a.assign(c, assignment{grant: grant, principal: principal}); err != nil && !isAssigned(err) {
			return err
		}
	}
	return nil
}

// principalFor returns the application and the service principal of a name, and
// makes what is not there.
func (a *api) principalFor(c *call, name string) (app, principal object, err error) {
	app, there, err := a.application(c, name)
	if err != nil {
		return nil, nil, err
	}
	if account := a.session.account; account.Kind == profile.ServicePrincipal && strings.EqualFold(account.ClientID, text(app, "appId")) {
		return nil, nil, drydock.Errorf(drydock.Conflict, "%q is who is signed in, whose secret would be replaced", name).
			WithHint("choose another name, or use %s ad sp credential reset --id %s", c.Name, account.ClientID)
	}
	if there {
		found, err := a.search(c, servicePrincipals, "appId eq "+quote(text(app, "appId")))
		if err != nil {
			return nil, nil, err
		}
		if len(found) > 0 {
			principal, _ = found[0].(object)
			return app, principal, nil
		}
	}
	principal, err = a.instate(c, app)
	return app, principal, err
}

// authFile is what the SDKs and many programs take as credentials.
func (s *session) authFile(appID string, secret any) object {
	return object{
		"clientId": appID, "clientSecret": secret, "subscriptionId": s.subscription.ID, "tenantId": s.account.Tenant,
		"activeDirectoryEndpointUrl": s.cloud.ActiveDirectory, "resourceManagerEndpointUrl": s.cloud.ResourceManager + "/",
		"activeDirectoryGraphResourceId": s.graphURL(), "managementEndpointUrl": s.cloud.Audience,
		"galleryEndpointUrl": nil, "sqlManagementEndpointUrl": nil,
	}
}
