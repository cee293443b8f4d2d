package cli

import (
	"net/http"

	"github.com/drydockhq/drydock/internal/cli/args"
)

func credentialShow() command {
	var r registryFlags
	return command{
		use: "show", short: "Show the passwords of the admin user", table: credentialTable, flags: r.byName,
		run: func(c *call) (any, error) {
			registry, err := r.find(c)
			if err != nil {
				return nil, err
			}
			return registry.do(c.ctx, request{method: http.MethodPost, path: registry.path + "/listCredentials", version: registryVersion})
		},
	}
}

func credentialRenew() command {
	var r registryFlags
	which := args.Enum{Choices: []string{"password", "password2"}}
	return command{
		use: "renew", short: "Replace a password of the admin user", table: credentialTable,
		flags: func(f *flags) {
			r.byName(f)
			f.Var(&which, "password-name", "which of the two")
			f.need("password-name")
		},
		run: func(c *call) (any, error) {
			registry, err := r.find(c)
			if err != nil {
				return nil, err
			}
			return registry.do(c.ctx, request{
				method: http.MethodPost, path: registry.path + "/regenerateCredential", version: registryVersion, body: object{"name": which.Value},
			})
		},
	}
}
