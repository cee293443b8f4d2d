package cli

import (
	"net/http"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/output"
)

// newSecret says what a secret is to be.
type newSecret struct {
	name    string
	expires time.Time
	keep    bool // the others
}

type resetFlags struct {
	id, name, end string
	years         int
	keep          bool
}

func credentialReset(kind directoryKind) command {
	var r resetFlags
	return command{
		use: "reset", short: "Replace the secrets by a new one",
		flags: func(f *flags) {
			idFlag(f, kind, &r.id)
			f.StringVar(&r.name, "display-name", "", "name of the secret")
			f.IntVar(&r.years, "years", 1, "for how many years it is good")
			f.StringVar(&r.end, "end-date", "", "until when it is good, as 2030-12-31 or 2030-12-31T11:59:59+00:00")
			f.BoolVar(&r.keep, "append", false, "keep the others")
		},
		run: func(c *call) (any, error) { return r.run(c, kind) },
	}
}

func (r *resetFlags) run(c *call, kind directoryKind) (any, error) {
	expires, err := r.expires(c)
	if err != nil {
		return nil, err
	}
	g, err := c.graph()
	if err != nil {
		return nil, err
	}
	o, err := g.find(c, kind, r.id)
	if err != nil {
		return nil, err
	}
	password, err := g.replaceSecrets(c, kind, o, newSecret{name: r.name, expires: expires, keep: r.keep})
	if err != nil {
		return nil, err
	}
	c.say("The output includes a credential that you must protect; it is not shown again.")
	return object{"appId": text(o, "appId"), "password": password, "tenant": g.session.account.Tenant}, nil
}

// expires returns when the secret ends.
func (r *resetFlags) expires(c *call) (time.Time, error) {
	years := c.cmd.Flags().Changed("years")
	switch {
	case years && r.end != "":
		return time.Time{}, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "--years and --end-date exclude each other"))
	case r.end == "" && r.years < 1:
		return time.Time{}, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "argument --years: %d is not a number of years", r.years))
	case r.end == "":
		return c.Now().AddDate(r.years, 0, 0), nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04:05", time.RFC3339} {
		if t, err := time.Parse(layout, r.end); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "argument --end-date: %q is not a date", r.end).
		WithHint("it is of the form 2030-12-31 or 2030-12-31T11:59:59+00:00"))
}

// replaceSecrets removes the secrets of an object, unless they are kept, and
// returns a new one.
func (a *api) replaceSecrets(c *call, kind directoryKind, o object, s newSecret) (string, error) {
	path := a.object(kind, o)
	old, _ := o["passwordCredentials"].([]any)
	for i := 0; i < len(old) && !s.keep; i++ {
		if _, err := a.do(c.ctx, request{method: http.MethodPost, path: path + "/removePassword", body: object{"keyId": text(old[i], "keyId")}}); err != nil {
			return "", err
		}
	}
	credential := with("displayName", s.name, "endDateTime", s.expires.UTC().Format(time.RFC3339))
	made, err := a.do(c.ctx, request{method: http.MethodPost, path: path + "/addPassword", body: object{"passwordCredential": credential}})
	return text(made, "secretText"), err
}

func credentialList(kind directoryKind) command {
	var id string
	return command{
		use: "list", short: "List secrets, without what is secret", table: secretTable,
		flags: func(f *flags) { idFlag(f, kind, &id) },
		run: func(c *call) (any, error) {
			g, err := c.graph()
			if err != nil {
				return nil, err
			}
			o, err := g.find(c, kind, id)
			return o["passwordCredentials"], err
		},
	}
}

func secretTable(item any) output.Row {
	return output.Row{
		cell("DisplayName", item, "displayName"), cell("KeyId", item, "keyId"), cell("StartDateTime", item, "startDateTime"), cell("EndDateTime", item, "endDateTime"),
	}
}

func credentialDelete(kind directoryKind) command {
	var id, key string
	return command{
		use: "delete", short: "Remove a secret",
		flags: func(f *flags) {
			idFlag(f, kind, &id)
			f.StringVar(&key, "key-id", "", "id of the secret")
			f.need("key-id")
		},
		run: func(c *call) (any, error) {
			g, err := c.graph()
			if err != nil {
				return nil, err
			}
			o, err := g.find(c, kind, id)
			if err != nil {
				return nil, err
			}
			_, err = g.do(c.ctx, request{method: http.MethodPost, path: g.object(kind, o) + "/removePassword", body: object{"keyId": key}})
			return nil, err
		},
	}
}
