package cli

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/output"
)

// expiryFlags say when passwords expire.
type expiryFlags struct {
	at    string
	days  int
	given func() bool
}

func (e *expiryFlags) define(f *flags) {
	f.StringVar(&e.at, "expiration", "", "when the passwords expire, in UTC, as 2030-12-31T12:59:59Z (default: never)")
	f.IntVar(&e.days, "expiration-in-days", 0, "in how many days the passwords expire (default: never)")
	f.IntVar(&e.days, "days", 0, "")
	f.Lookup("days").Hidden = true // az's old name
	e.given = func() bool { return e.at != "" || e.daysGiven(f) }
}

func (e *expiryFlags) daysGiven(f *flags) bool {
	return f.Lookup("expiration-in-days").Changed || f.Lookup("days").Changed
}

// farthest is where az's time ends.
const farthest = 9999

// value returns the time as the resource manager takes it, "" for never.
func (e *expiryFlags) value(c *call) (string, error) {
	const form = "2006-01-02T15:04:05Z"
	switch byDays := e.daysGiven(&flags{FlagSet: c.cmd.Flags()}); {
	case byDays && e.at != "":
		return "", usageError(c.cmd, drydock.Errorf(drydock.Invalid, "--expiration and --expiration-in-days are mutually exclusive"))
	case byDays && e.days <= 0:
		return "", usageError(c.cmd, fmt.Errorf("argument --expiration-in-days: %d is not a number of days to come", e.days))
	case byDays:
		if e.days > farthest*366 {
			return "", nil
		}
		return c.Now().UTC().AddDate(0, 0, e.days).Format(form), nil
	case e.at == "":
		return "", nil
	}
	t, err := time.Parse(form, e.at)
	if err != nil {
		return "", usageError(c.cmd, fmt.Errorf("argument --expiration: %q is not a time such as 2030-12-31T12:59:59Z", e.at))
	}
	return t.Format(form), nil
}

// generate makes passwords for a token: the named one, or both for an empty
// name.
func (r *registry) generate(c *call, token, name, expiry string) (object, error) {
	return r.operate(c.ctx, request{
		method: http.MethodPost, path: r.path + "/generateCredentials", version: registryVersion,
		body: with("tokenId", token, "name", name, "expiry", expiry),
	}, true)
}

// tokenPasswordFlags choose one of the passwords of a token, or both.
type tokenPasswordFlags struct{ first, second bool }

func (p *tokenPasswordFlags) define(f *flags, what string) {
	f.BoolVar(&p.first, "password1", false, what+" the first password")
	f.BoolVar(&p.second, "password2", false, what+" the second password")
}

func tokenPasswordTable(item any) output.Row {
	row := output.Row{cell("USERNAME", item, "username")}
	passwords, _ := at(item, "passwords").([]any)
	for _, p := range passwords {
		name := strings.ToUpper(text(p, "name"))
		row = append(row, cell(name, p, "value"), output.Cell{Column: name + " EXPIRY", Value: expiryOf(p)})
	}
	return row
}

func tokenCredentialGenerate() command {
	var t tokenFlags
	var which tokenPasswordFlags
	var expires expiryFlags
	return command{
		use: "generate", short: "Make or replace the passwords of a token: both, or one", table: tokenPasswordTable,
		example: "  drydock acr token credential generate -r contoso -n robot --password1 --expiration-in-days 30 --query 'passwords[0].value' -o tsv",
		flags: func(f *flags) {
			t.define(f)
			which.define(f, "make only")
			expires.define(f)
		},
		run: func(c *call) (any, error) {
			expiry, err := expires.value(c)
			if err != nil {
				return nil, err
			}
			r, err := t.find(c)
			if err != nil {
				return nil, err
			}
			name := ""
			if which.first != which.second {
				name = "password2"
				if which.first {
					name = "password1"
				}
			}
			return r.generate(c, r.path+"/tokens/"+t.name, name, expiry)
		},
	}
}

func tokenCredentialDelete() command {
	var t tokenFlags
	var which tokenPasswordFlags
	return command{
		use: "delete", short: "Delete passwords of a token", table: tokenTable,
		flags: func(f *flags) {
			t.define(f)
			which.define(f, "delete")
		},
		run: func(c *call) (any, error) {
			if !which.first && !which.second {
				return nil, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "no credentials to delete").WithHint("give --password1, --password2 or both"))
			}
			r, err := t.find(c)
			if err != nil {
				return nil, err
			}
			token, err := r.child(c, http.MethodGet, "tokens", t.name, nil)
			if err != nil {
				return nil, err
			}
			kept, err := which.others(token, t.name)
			if err != nil {
				return nil, err
			}
			changed, err := r.child(c, http.MethodPatch, "tokens", t.name, object{"properties": object{"credentials": object{"passwords": kept}}})
			return flat(changed), err
		},
	}
}

// others returns the passwords of a token that are not chosen. Those that are
// must be there.
func (p *tokenPasswordFlags) others(token object, name string) ([]any, error) {
	have := []string{}
	passwords, _ := at(token, "properties", "credentials", "passwords").([]any)
	for _, one := range passwords {
		have = append(have, text(one, "name"))
	}
	for _, chosen := range []struct {
		name string
		yes  bool
	}{{"password1", p.first}, {"password2", p.second}} {
		if !chosen.yes {
			continue
		}
		i := slices.Index(have, chosen.name)
		if i < 0 {
			return nil, drydock.Errorf(drydock.Failed, "the token '%s' has no %s", name, chosen.name)
		}
		have = slices.Delete(have, i, i+1)
	}
	kept := []any{}
	for _, name := range have {
		kept = append(kept, object{"name": name})
	}
	return kept, nil
}
