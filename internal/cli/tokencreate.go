package cli

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
)

// tokenSettings are the flags of a new token.
type tokenSettings struct {
	tokenFlags
	scopeMap    string
	may         actionFlags
	status      args.Enum
	noPasswords args.Bool
	expires     expiryFlags
}

func (t *tokenSettings) define(f *flags) {
	t.tokenFlags.define(f)
	t.status = tokenStatus()
	f.StringVar(&t.scopeMap, "scope-map", "", "name of the scope map that says what the token may do")
	t.may.define(f, "", "what the token may do in a repository, instead of --scope-map; may be given several times")
	f.Var(&t.status, "status", "whether the token can be signed in with")
	t.noPasswords.Var(f.FlagSet, "no-passwords", "make no passwords; acr token credential generate does so later")
	t.expires.define(f)
}

// check says what of the flags does not go together, as az does.
func (t *tokenSettings) check() error {
	switch {
	case t.may.given() == (t.scopeMap != ""):
		return errors.New("give either --scope-map or --repository")
	case t.noPasswords.Value && t.expires.given():
		return errors.New("--no-passwords and when they expire are mutually exclusive")
	}
	return nil
}

func tokenCreate() command {
	var t tokenSettings
	return command{
		use: "create", short: "Create a token: a name with passwords for some repositories", table: tokenTable,
		example: "  drydock acr token create -r contoso -n robot --repository hello-world content/read metadata/read\n" +
			"  drydock acr token create -r contoso -n robot --scope-map _repositories_pull --expiration-in-days 30",
		flags: t.define,
		run: func(c *call) (any, error) {
			if err := t.check(); err != nil {
				return nil, usageError(c.cmd, err)
			}
			expiry, err := t.expires.value(c)
			if err != nil {
				return nil, err
			}
			r, err := t.find(c)
			if err != nil {
				return nil, err
			}
			scopeMap := r.path + "/scopeMaps/" + t.scopeMap
			if t.may.given() {
				if scopeMap, err = t.defaultMap(c, r); err != nil {
					return nil, err
				}
			}
			made, err := r.child(c, http.MethodPut, "tokens", t.name, object{"properties": object{"scopeMapId": scopeMap, "status": t.status.Value}})
			if err != nil || t.noPasswords.Value {
				return flat(made), err
			}
			return t.withPasswords(c, r, made, expiry)
		},
	}
}

// defaultMap makes the scope map of a token that is created without one, unless
// it is there and says the same.
func (t *tokenSettings) defaultMap(c *call, r *registry) (string, error) {
	actions, err := t.may.actions(c)
	if err != nil {
		return "", err
	}
	name := t.name + "-scope-map"
	now, err := r.child(c, http.MethodGet, "scopeMaps", name, nil)
	switch {
	case err == nil:
		have := []string{}
		list, _ := at(now, "properties", "actions").([]any)
		for _, action := range list {
			have = append(have, fmt.Sprint(action))
		}
		slices.Sort(have)
		if want := slices.Sorted(slices.Values(actions)); !slices.Equal(have, want) {
			return "", drydock.Errorf(drydock.Conflict, "the scope map '%s' is there already and allows something else", name).
				WithHint("change it with acr scope-map update -r %s -n %s, or delete it", r.name, name)
		}
	case drydock.CodeOf(c.explain(err)) != drydock.NotFound:
		return "", err
	default:
		if now, err = r.child(c, http.MethodPut, "scopeMaps", name, scopeMapBody(actions, "Created by token: "+t.name)); err != nil {
			return "", err
		}
	}
	return text(now, "id"), nil
}

// withPasswords gives a new token its passwords and shows them with it.
func (t *tokenSettings) withPasswords(c *call, r *registry, token object, expiry string) (any, error) {
	credentials, err := r.generate(c, text(token, "id"), "", expiry)
	if err != nil {
		return nil, err
	}
	registry, err := r.get(c)
	if err != nil {
		return nil, err
	}
	flat(token)
	shown, _ := token["credentials"].(object)
	if shown == nil {
		shown = object{}
		token["credentials"] = shown
	}
	shown["username"], shown["passwords"] = credentials["username"], credentials["passwords"]
	c.say("WARNING: Keep the passwords: they are not shown again. To sign in: docker login %s -u %s -p %s",
		text(registry, "properties", "loginServer"), text(credentials, "username"), text(credentials, "passwords", 0, "value"))
	return token, nil
}
