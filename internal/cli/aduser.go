package cli

import (
	"net/http"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
	"github.com/drydockhq/drydock/internal/cli/output"
)

func userTable(item any) output.Row {
	return output.Row{
		cell("DisplayName", item, "displayName"), cell("UserPrincipalName", item, "userPrincipalName"), cell("Id", item, "id"), cell("Enabled", item, "accountEnabled"),
	}
}

func adGroupTable(item any) output.Row {
	return output.Row{cell("DisplayName", item, "displayName"), cell("Id", item, "id"), cell("CreatedDateTime", item, "createdDateTime")}
}

func adUserCommands() []command {
	return []command{
		userCreate(), userList(), adShow(users).withTable(userTable), userUpdate(), adDelete(users), userRevoke(),
	}
}

func adGroupCommands() []command {
	return []command{groupOfPeopleCreate(), groupOfPeopleList(), adShow(groups).withTable(adGroupTable), adDelete(groups)}
}

type userFlags struct {
	id, name, login, password string
	mustChange, enabled       args.Bool
}

// profile is the part about the password of a user's document.
func (u *userFlags) profile() object {
	p := object{"forceChangePasswordNextSignIn": u.mustChange.Or(false)}
	if u.password != "" {
		p["password"] = u.password
	}
	return p
}

func userCreate() command {
	var u userFlags
	return command{
		use: "create", short: "Make a user, who signs in with a name and a password", table: userTable,
		example: "  drydock ad user create --display-name Alice --user-principal-name alice@drydock.test --password ...",
		flags: func(f *flags) {
			f.StringVar(&u.name, "display-name", "", "name of the user")
			f.StringVar(&u.login, "user-principal-name", "", "what the user signs in with, as alice@drydock.test")
			f.StringVar(&u.password, "password", "", "password of 8 characters at least; asked for if left out")
			u.mustChange.Var(f.FlagSet, "force-change-password-next-sign-in", "have the user choose another password first")
			for _, name := range []string{"mail-nickname", "immutable-id"} {
				f.String(name, "", "") // which mean nothing here
				_ = f.MarkHidden(name) // fails for flags that are not there only
			}
			f.need("display-name", "user-principal-name")
		},
		run: func(c *call) (_ any, err error) {
			if u.password == "" {
				if u.password, err = c.askSecret("Password of the new user: "); err != nil {
					return nil, err
				}
			}
			g, err := c.graph()
			if err != nil {
				return nil, err
			}
			nickname, _, _ := strings.Cut(u.login, "@")
			return g.do(c.ctx, request{method: http.MethodPost, path: g.base + users.path, body: object{
				"accountEnabled": true, "displayName": u.name, "userPrincipalName": u.login, "mailNickname": nickname, "passwordProfile": u.profile(),
			}})
		},
	}
}

func userUpdate() command {
	var u userFlags
	return command{
		use: "update", short: "Change the name or the password of a user, or disable it",
		flags: func(f *flags) {
			f.StringVar(&u.id, "id", "", "user principal name or object id")
			f.StringVar(&u.name, "display-name", "", "another name")
			f.StringVar(&u.password, "password", "", "another password; the user signs in again everywhere")
			u.mustChange.Var(f.FlagSet, "force-change-password-next-sign-in", "have the user choose another password first")
			u.enabled.Var(f.FlagSet, "account-enabled", "whether the user may sign in")
			f.need("id")
		},
		run: func(c *call) (any, error) {
			changed, body := c.cmd.Flags().Changed, object{}
			if u.name != "" {
				body["displayName"] = u.name
			}
			if changed("account-enabled") {
				body["accountEnabled"] = u.enabled.Or(true)
			}
			if u.password != "" || changed("force-change-password-next-sign-in") {
				body["passwordProfile"] = u.profile()
			}
			if len(body) == 0 {
				return nil, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "nothing is to be changed"))
			}
			return nil, c.onUser(u.id, http.MethodPatch, "", body)
		},
	}
}

func userRevoke() command {
	var id string
	return command{
		use: "revoke-sign-in-sessions", short: "Make a user sign in again everywhere",
		flags: func(f *flags) {
			f.StringVar(&id, "id", "", "user principal name or object id")
			f.need("id")
		},
		run: func(c *call) (any, error) {
			return nil, c.onUser(id, http.MethodPost, "/revokeSignInSessions", nil)
		},
	}
}

// onUser does something to a user.
func (c *call) onUser(id, method, action string, body any) error {
	g, err := c.graph()
	if err != nil {
		return err
	}
	o, err := g.find(c, users, id)
	if err != nil {
		return err
	}
	_, err = g.do(c.ctx, request{method: method, path: g.object(users, o) + action, body: body})
	return err
}

func userList() command {
	var name, login, filter string
	return command{
		use: "list", short: "List users", table: userTable,
		flags: func(f *flags) {
			f.StringVar(&name, "display-name", "", "the name, or its beginning")
			f.StringVar(&login, "upn", "", "user principal name")
			f.StringVar(&filter, "filter", "", "a condition in OData's language, as \"accountEnabled eq false\"")
		},
		run: func(c *call) (any, error) {
			var conditions []string
			if filter != "" {
				conditions = append(conditions, "("+filter+")")
			}
			if login != "" {
				conditions = append(conditions, users.names(login))
			}
			return listDirectory(c, users, conditions, name)
		},
	}
}

// listDirectory lists the objects of a kind by their names.
func listDirectory(c *call, kind directoryKind, conditions []string, name string) (any, error) {
	g, err := c.graph()
	if err != nil {
		return nil, err
	}
	if name != "" {
		conditions = append(conditions, "startswith(displayName,"+quote(name)+")")
	}
	list, err := g.search(c, kind, strings.Join(conditions, " and "))
	slices.SortStableFunc(list, func(a, b any) int { return strings.Compare(text(a, "displayName"), text(b, "displayName")) })
	return list, err
}

func signedInUser() command {
	return command{use: "show", short: "Show the user that is signed in", table: userTable, run: func(c *call) (any, error) {
		g, err := c.graph()
		if err != nil {
			return nil, err
		}
		return g.do(c.ctx, request{path: g.base + "/me"})
	}}
}

func groupOfPeopleCreate() command {
	var name string
	return command{
		use: "create", short: "Make a group that stands for the one of that name at the provider of identities", table: adGroupTable,
		flags: func(f *flags) {
			f.StringVar(&name, "display-name", "", "name of the group, as the provider's tokens have it")
			for _, name := range []string{"mail-nickname", "description", "force"} {
				f.String(name, "", "")
				_ = f.MarkHidden(name) // fails for flags that are not there only
			}
			f.need("display-name")
		},
		run: func(c *call) (any, error) {
			g, err := c.graph()
			if err != nil {
				return nil, err
			}
			return g.do(c.ctx, request{method: http.MethodPost, path: g.base + groups.path, body: object{
				"displayName": name, "mailNickname": name, "mailEnabled": false, "securityEnabled": true,
			}})
		},
	}
}

func groupOfPeopleList() command {
	var name, filter string
	return command{
		use: "list", short: "List groups", table: adGroupTable,
		flags: func(f *flags) {
			f.StringVar(&name, "display-name", "", "the name, or its beginning")
			f.StringVar(&filter, "filter", "", "a condition in OData's language, as \"displayName eq 'platform'\"")
		},
		run: func(c *call) (any, error) {
			var conditions []string
			if filter != "" {
				conditions = append(conditions, "("+filter+")")
			}
			return listDirectory(c, groups, conditions, name)
		},
	}
}
