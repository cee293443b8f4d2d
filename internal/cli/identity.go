package cli

import (
	"net/http"

	"github.com/drydockhq/drydock/internal/cli/args"
	"github.com/drydockhq/drydock/internal/cli/output"
)

const userIdentityType = "Microsoft.ManagedIdentity/userAssignedIdentities"

// userIdentityFlags say which user-assigned identity a command is about.
type userIdentityFlags struct{ name, group, id string }

func (u *userIdentityFlags) define(f *flags) {
	f.StringVarP(&u.name, "name", "n", "", "name of the identity")
	f.StringVarP(&u.group, "resource-group", "g", "", "name of the resource group")
}

func (u *userIdentityFlags) defineExisting(f *flags) {
	u.define(f)
	f.StringVar(&u.id, "ids", "", "id of the identity, instead of name and resource group")
}

// request returns a request about the identity.
func (u *userIdentityFlags) request(c *call, method string, body any) (*api, request, error) {
	a, err := c.api()
	if err != nil {
		return nil, request{}, err
	}
	path := u.id
	if path == "" {
		if u.name == "" {
			return nil, request{}, missingFlags(c.cmd, []string{"name"})
		}
		group, err := (&groupFlags{u.group}).path(c, a)
		if err != nil {
			return nil, request{}, err
		}
		path = group + "/providers/" + userIdentityType + "/" + escape(u.name)
	}
	return a, request{method: method, path: path, version: identitiesVersion, body: body}, nil
}

func (u *userIdentityFlags) do(c *call, method string, body any) (any, error) {
	a, r, err := u.request(c, method, body)
	if err != nil {
		return nil, err
	}
	done, err := a.do(c.ctx, r)
	return flat(done), err
}

func userIdentityTable(item any) output.Row {
	return output.Row{
		cell("Name", item, "name"), cell("ResourceGroup", item, "resourceGroup"), cell("Location", item, "location"),
		cell("PrincipalId", item, "principalId"), cell("ClientId", item, "clientId"),
	}
}

func identityCreate() command {
	var u userIdentityFlags
	var location string
	var tags args.List
	return command{
		use: "create", short: "Create a user-assigned identity", table: userIdentityTable,
		example: "  drydock identity create -n puller -g demo\n" +
			"  drydock acr task identity assign -r contoso -n hello --identities $(drydock identity show -n puller -g demo --query id -o tsv)",
		flags: func(f *flags) {
			u.define(f)
			f.StringVarP(&location, "location", "l", "", "where it is (default: where the resource group is)")
			tagsFlag(f, &tags)
			f.need("name")
		},
		run: func(c *call) (any, error) {
			a, err := c.api()
			if err != nil {
				return nil, err
			}
			group, err := (&groupFlags{u.group}).path(c, a)
			if err != nil {
				return nil, err
			}
			if location, err = a.locationOf(c, group, location); err != nil {
				return nil, err
			}
			return u.do(c, http.MethodPut, with("location", location, "tags", tagsOf(tags)))
		},
	}
}

func identityShow() command {
	var u userIdentityFlags
	return command{use: "show", short: "Show a user-assigned identity", table: userIdentityTable, flags: u.defineExisting, run: func(c *call) (any, error) {
		return u.do(c, http.MethodGet, nil)
	}}
}

func identityList() command {
	return resourcesOf{"List user-assigned identities", userIdentityType, identitiesVersion, userIdentityTable, flat}.command()
}

func identityDelete() command {
	var u userIdentityFlags
	return command{use: "delete", short: "Delete a user-assigned identity with its roles", flags: u.defineExisting, run: func(c *call) (any, error) {
		a, r, err := u.request(c, http.MethodDelete, nil)
		if err != nil {
			return nil, err
		}
		_, err = a.operate(c.ctx, r, true)
		return nil, err
	}}
}
