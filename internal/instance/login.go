package instance

import (
	"context"
	"strings"

	"github.com/drydockhq/drydock"
)

func (m *Manager) login(ctx context.Context, group drydock.ResourceID, l drydock.GroupLogin) (drydock.Credential, error) {
	if m.c.Login == nil {
		return drydock.Credential{}, drydock.Errorf(drydock.Unavailable, "this server has no identities for registries").
			WithHint("give the credential for %s a user name and a password", l.Registry)
	}
	return m.c.Login(ctx, group, l)
}

// loginOf returns what a group's images are pulled with by identities. They are
// asked each time: what they sign in with doesn't last, and a pull may be tried
// for long.
func (m *Manager) loginOf(g drydock.ContainerGroup) LoginFunc {
	if len(g.Logins) == 0 {
		return nil
	}
	return func(ctx context.Context, registry string) (drydock.Credential, bool, error) {
		for _, l := range g.Logins {
			if strings.EqualFold(l.Registry, registry) {
				c, err := m.login(ctx, g.ID, l)
				return c, err == nil, err
			}
		}
		return drydock.Credential{}, false, nil
	}
}

// hosts returns what answers in the network of a group.
func (m *Manager) hosts(ctx context.Context, g drydock.ContainerGroup) (*drydock.RunHosts, error) {
	if m.c.Hosts == nil {
		return nil, nil
	}
	return m.c.Hosts(ctx, g)
}
