package cli

import (
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/output"
	"github.com/drydockhq/drydock/internal/cli/profile"
)

// subscriptionsOf asks for the subscriptions of who is signing in.
func subscriptionsOf(c *call, s *session) ([]profile.Subscription, error) {
	a, err := s.api()
	if err != nil {
		return nil, err
	}
	list, err := a.list(c.ctx, request{path: "/subscriptions", version: resourcesVersion}, 0)
	if err != nil {
		return nil, err
	}
	var all []profile.Subscription
	for _, item := range list {
		all = append(all, profile.Subscription{
			ID: text(item, "subscriptionId"), Name: text(item, "displayName"), Tenant: text(item, "tenantId"), State: text(item, "state"),
		})
	}
	return all, nil
}

// accounts shows the subscriptions that can be used, as the Azure CLI does.
func accounts(p *profile.Profile) []any {
	all := []any{}
	for cloud, account := range p.Accounts {
		for _, s := range account.Subscriptions {
			all = append(all, accountDoc(p, cloud, account, s))
		}
	}
	return all
}

func accountDoc(p *profile.Profile, cloud string, account profile.Account, s profile.Subscription) object {
	return object{
		"cloudName": cloud, "id": s.ID, "name": s.Name, "tenantId": s.Tenant, "homeTenantId": s.Tenant, "state": s.State,
		"isDefault": cloud == p.Active && s.ID == account.Default,
		"user":      userDoc(account),
	}
}

// userDoc shows who has signed in. To the Azure CLI, managed identities are service
// principals of which it notes how they were asked for.
func userDoc(a profile.Account) object {
	if a.Kind != profile.ManagedIdentity {
		return object{"name": a.Name(), "type": a.Kind}
	}
	info := "MSI"
	switch {
	case a.ClientID != "":
		info = "MSIClient-" + a.ClientID
	case a.ObjectID != "":
		info = "MSIObject-" + a.ObjectID
	case a.ResourceID != "":
		info = "MSIResource-" + a.ResourceID
	}
	return object{"name": a.Name(), "type": profile.ServicePrincipal, "assignedIdentityInfo": info}
}

func accountList() command {
	return command{use: "list", short: "List subscriptions", run: func(c *call) (any, error) {
		p, err := c.store.Load()
		if err != nil {
			return nil, err
		}
		return accounts(p), nil
	}}
}

func accountShow() command {
	return command{use: "show", short: "Show the subscription in use", run: func(c *call) (any, error) {
		s, err := c.session()
		if err != nil {
			return nil, err
		}
		return accountDoc(s.profile, s.cloud.Name, s.account, s.subscription), nil
	}}
}

func accountSet() command {
	var name string
	return command{
		use: "set", short: "Choose the subscription to use",
		flags: func(f *flags) {
			f.StringVarP(&name, "name", "n", "", "name or id of the subscription (also --subscription)")
		},
		run: func(c *call) (any, error) {
			if name != "" {
				c.global.subscription = name
			}
			if c.global.subscription == "" {
				return nil, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "the following arguments are required: --name/-n"))
			}
			s, err := c.session()
			if err != nil {
				return nil, err
			}
			s.account.Default = s.subscription.ID
			s.profile.SignIn(s.cloud.Name, s.account)
			return nil, c.store.Save(s.profile)
		},
	}
}

func locationTable(item any) output.Row {
	return output.Row{
		cell("DisplayName", item, "displayName"), cell("Name", item, "name"), cell("RegionalDisplayName", item, "regionalDisplayName"),
	}
}

func accountLocations() command {
	return command{use: "list-locations", short: "List the locations that there are; any other word can be one", table: locationTable, run: func(c *call) (any, error) {
		a, err := c.api()
		if err != nil {
			return nil, err
		}
		return a.list(c.ctx, request{path: a.base + "/locations", version: resourcesVersion}, 0)
	}}
}

func accountToken() command {
	var resource string
	return command{
		use: "get-access-token", short: "Get a token, for other programs",
		flags: func(f *flags) {
			f.StringVar(&resource, "resource", "", "what the token is for (default: the resource manager)")
		},
		run: func(c *call) (any, error) {
			s, err := c.session()
			if err != nil {
				return nil, err
			}
			credential, err := s.credential()
			if err != nil {
				return nil, err
			}
			if resource == "" {
				resource = s.cloud.Audience
			}
			token, err := credential.GetToken(c.ctx, policy.TokenRequestOptions{Scopes: []string{resource + "/.default"}})
			if err != nil {
				return nil, err
			}
			return object{
				"accessToken": token.Token, "tokenType": "Bearer", "tenant": s.account.Tenant, "subscription": s.subscription.ID,
				"expiresOn": token.ExpiresOn.Local().Format("2006-01-02 15:04:05.000000"), "expires_on": float64(token.ExpiresOn.Unix()),
			}, nil
		},
	}
}
