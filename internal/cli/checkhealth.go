package cli

import (
	"fmt"
	"net"
	"net/http"

	"github.com/drydockhq/drydock"
)

type healthFlags struct {
	registryFlags
	ignore, yes bool
	vnet        string
}

func acrCheckHealth() command {
	var h healthFlags
	return command{
		use: "check-health", short: "Check that this machine can work with the server and a registry",
		flags: func(f *flags) {
			h.byName(f)
			f.BoolVar(&h.ignore, "ignore-errors", false, "go on after a check that fails")
			f.StringVar(&h.vnet, "vnet", "", "ignored: a virtual network")
			yesFlag(f, &h.yes)
		},
		run: h.run,
	}
}

// check is one thing that has to work.
type check struct {
	name string
	do   func() (detail string, err error)
}

func (h *healthFlags) run(c *call) (any, error) {
	s, err := c.session()
	if err != nil {
		return nil, err
	}
	checks := []check{
		{"Client version", func() (string, error) { return c.Version, nil }},
		{"Sign-in at " + s.cloud.ActiveDirectory + " and resource manager " + s.cloud.ResourceManager, func() (string, error) {
			_, err := subscriptionsOf(c, s)
			return "", err
		}},
	}
	if h.registry == "" && s.profile.Defaults["acr"] == "" {
		c.say("Registry name must be provided to check connectivity.")
	} else {
		name, err := h.name(c, s)
		if err != nil {
			return nil, err
		}
		checks = append(checks, registryChecks(c, s.dataPlane(name, nil))...)
	}
	return nil, h.all(c, checks)
}

func (h *healthFlags) all(c *call, checks []check) error {
	failed := 0
	for _, check := range checks {
		detail, err := check.do()
		if err != nil {
			failed++
			err = c.explain(err)
			if !h.ignore {
				return fmt.Errorf("%s: %w", check.name, err)
			}
			fmt.Fprintf(c.Stdout, "%s : FAILED: %s\n", check.name, oneLine(err.Error()))
			continue
		}
		if detail == "" {
			detail = "OK"
		}
		fmt.Fprintf(c.Stdout, "%s : %s\n", check.name, detail)
	}
	if failed > 0 {
		return drydock.Errorf(drydock.Failed, "%d of %d checks failed", failed, len(checks))
	}
	return nil
}

func registryChecks(c *call, p *dataPlane) []check {
	host, _, err := net.SplitHostPort(p.server)
	if err != nil {
		host = p.server
	}
	return []check{
		{"DNS lookup to " + host, func() (string, error) {
			addresses, err := net.DefaultResolver.LookupHost(c.ctx, host)
			if err != nil {
				return "", drydock.Errorf(drydock.Unavailable, "%w", err).
					WithHint("docker and others can't find the registry: %s", namesHint(host))
			}
			return "OK at IP " + addresses[0], nil
		}},
		{"Challenge endpoint https://" + p.server + "/v2/", func() (string, error) { return "", p.challenged(c) }},
		{"Fetch refresh token for registry '" + p.server + "'", func() (string, error) {
			_, err := p.refreshToken(c.ctx)
			return "", err
		}},
		{"Fetch access token for registry '" + p.server + "'", func() (string, error) {
			_, err := p.token(c.ctx, "registry:catalog:*")
			return "", err
		}},
	}
}

// challenged checks that the registry asks strangers for a token.
func (d *dataPlane) challenged(c *call) error {
	req, err := http.NewRequestWithContext(c.ctx, http.MethodGet, "https://"+d.server+"/v2/", nil)
	if err != nil {
		return err
	}
	answer, err := d.http.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusUnauthorized || answer.Header.Get("WWW-Authenticate") == "" {
		return drydock.Errorf(drydock.Failed, "%s answers %s and not with a challenge", d.server, answer.Status)
	}
	return nil
}
