package cli

import (
	"os"
	"path/filepath"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/types"

	"github.com/drydockhq/drydock"
)

// tokenUser is the user name that says that the password is a token.
const tokenUser = "00000000-0000-0000-0000-000000000000"

func acrLogin() command {
	var d dataFlags
	var expose bool
	return command{
		use: "login", short: "Sign Docker and its like in to a registry",
		example: "  drydock acr login -n contoso",
		flags: func(f *flags) {
			d.byName(f)
			f.BoolVarP(&expose, "expose-token", "t", false, "show the token instead")
		},
		run: func(c *call) (any, error) {
			if expose && (d.user != "" || d.password != "") {
				return nil, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "--expose-token can't be combined with --username or --password"))
			}
			p, err := d.open(c)
			if err != nil {
				return nil, err
			}
			user, password := tokenUser, ""
			if p.user == "" {
				password, err = p.refreshToken(c.ctx)
			} else {
				user, password = p.user, p.password
				_, err = p.token(c.ctx, "registry:catalog:*")
			}
			if err != nil {
				return nil, err
			}
			if expose {
				c.say("You can sign in with this token: docker login %s -u %s -p TOKEN", p.server, tokenUser)
				return object{"loginServer": p.server, "accessToken": password, "username": tokenUser, "refreshToken": password}, nil
			}
			if err := c.storeLogin(p.server, user, password); err != nil {
				return nil, err
			}
			c.say("Login Succeeded")
			return nil, nil
		},
	}
}

// storeLogin puts credentials where Docker, skopeo, oras and others look: in the
// Docker configuration, or the helper that it names.
func (a *app) storeLogin(server, user, password string) error {
	dir := a.getenv("DOCKER_CONFIG")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return drydock.Errorf(drydock.Invalid, "finding the Docker configuration: %w", err).WithHint("set $DOCKER_CONFIG")
		}
		dir = filepath.Join(home, ".docker")
	}
	file, err := config.Load(dir)
	if err != nil {
		return drydock.Errorf(drydock.Invalid, "reading the Docker configuration: %w", err)
	}
	if err := file.GetCredentialsStore(server).Store(types.AuthConfig{ServerAddress: server, Username: user, Password: password}); err != nil {
		return drydock.Errorf(drydock.Unavailable, "keeping the credentials for %s: %w", server, err)
	}
	return nil
}
