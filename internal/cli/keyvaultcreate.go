package cli

import (
	"net/http"

	"github.com/drydockhq/drydock"
)

func vaultCreate() command {
	var v vaultFlags
	var s vaultSettings
	var location string
	var days int
	var noSelf bool
	return command{
		use: "create", short: "Create a key vault", table: vaultTable,
		example: "  drydock keyvault create -g demo -n my-secrets",
		flags: func(f *flags) {
			v.define(f)
			s.define(f)
			f.StringVarP(&location, "location", "l", "", "location (default: that of the resource group)")
			f.IntVar(&days, "retention-days", 0, "for how many days what was deleted can be recovered, 7 to 90 (default 90)")
			f.BoolVar(&noSelf, "no-self-perms", false, "give whoever creates the vault no permissions on what is in it")
			f.need("resource-group")
		},
		run: func(c *call) (any, error) {
			a, path, err := v.find(c)
			if err != nil {
				return nil, err
			}
			if _, err = a.do(c.ctx, request{method: http.MethodGet, path: path, version: vaultVersion}); err == nil {
				return nil, drydock.Errorf(drydock.Conflict, "the key vault %q is there already in the resource group %q", v.name, v.group)
			}
			if !c.isMissing(err) {
				return nil, err
			}
			if location == "" {
				if location, err = a.groupLocation(c, v.group); err != nil {
					return nil, err
				}
			}
			properties := s.properties()
			properties["tenantId"] = a.session.account.Tenant
			if days != 0 {
				properties["softDeleteRetentionInDays"] = days
			}
			if properties["sku"] == nil {
				properties["sku"] = object{"family": "A", "name": "standard"}
			}
			if !s.roles.Given {
				// The server lets its creator in, who need not be known here.
				properties["enableRbacAuthorization"] = !noSelf
			}
			if noSelf {
				properties["accessPolicies"] = []any{}
			}
			made, err := a.do(c.ctx, request{
				method: http.MethodPut, path: path, version: vaultVersion,
				body: with("location", location, "properties", properties, "tags", tagsOf(s.tags)),
			})
			if err != nil || !s.roles.Value {
				return grouped(made), err
			}
			// A new vault begins with policies; asked of one that is there it is meant.
			made, err = a.do(c.ctx, request{
				method: http.MethodPatch, path: path, version: vaultVersion, body: object{"properties": object{"enableRbacAuthorization": true}},
			})
			return grouped(made), err
		},
	}
}

// groupLocation returns the location of a resource group.
func (a *api) groupLocation(c *call, group string) (string, error) {
	found, err := a.do(c.ctx, request{method: http.MethodGet, path: a.base + "/resourceGroups/" + escape(group), version: resourcesVersion})
	return text(found, "location"), err
}

func vaultUpdate() command {
	var v vaultFlags
	var s vaultSettings
	return command{
		use: "update", short: "Change a key vault", table: vaultTable,
		flags: func(f *flags) {
			v.define(f)
			s.define(f)
		},
		run: func(c *call) (any, error) {
			changed, err := v.do(c, http.MethodPatch, "", with("properties", s.properties(), "tags", tagsOf(s.tags)))
			return grouped(changed), err
		},
	}
}
