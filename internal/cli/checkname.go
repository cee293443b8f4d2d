package cli

import "net/http"

// nameCheck is a command that asks whether a resource of a type can have a name,
// which is one for all that there is.
type nameCheck struct {
	short, about  string // about the flag for the name
	kind, version string // the type, and the API's version
	namespace     string // of the type
}

func (n nameCheck) command() command {
	var name string
	return command{
		use: "check-name", short: n.short,
		flags: func(f *flags) {
			f.StringVarP(&name, "name", "n", "", n.about)
			f.need("name")
		},
		run: func(c *call) (any, error) {
			a, err := c.api()
			if err != nil {
				return nil, err
			}
			return a.do(c.ctx, request{
				method: http.MethodPost, path: a.base + "/providers/" + n.namespace + "/checkNameAvailability", version: n.version,
				body: object{"name": name, "type": n.kind},
			})
		},
	}
}
