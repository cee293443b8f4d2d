package buildkit

import (
	"context"
	"net/http"

	"github.com/drydockhq/drydock"
)

// Login implements dockercmd.Logins.
func (s *dockerStore) Login(ctx context.Context, registry, user, password string) error {
	probe := s.executor.remoteAs(&logins{
		opened: []drydock.Credential{{Registry: registry, Username: user, Password: password}}, vouch: s.logins.vouch,
	}, s.spec.RealAzure)
	if err := probe.ping(ctx, registry); err != nil {
		return err
	}
	if s.spec.Secret != nil {
		s.spec.Secret(password)
	}
	s.logins.add(drydock.Credential{Registry: registry, Username: user, Password: password})
	s.remote.forget()
	return s.writeLogins()
}

// Logout implements dockercmd.Logins.
func (s *dockerStore) Logout(_ context.Context, registry string) (bool, error) {
	found := s.logins.remove(registry)
	if !found {
		return false, nil
	}
	s.remote.forget()
	return true, s.writeLogins()
}

// ping asks a registry whether it accepts the credentials for it.
func (r *remote) ping(ctx context.Context, registry string) error {
	r.resolver(ctx)
	hosts, err := r.hosts(registry)
	if err != nil {
		return err
	}
	host := hosts[len(hosts)-1]
	var last *http.Response
	for range 2 { // the first answer says how to authorize the second request
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, host.Scheme+"://"+host.Host+"/v2/", nil)
		if err != nil {
			return drydock.Errorf(drydock.Invalid, "%q is not a registry's host: %w", registry, err)
		}
		if err := host.Authorizer.Authorize(ctx, req); err != nil {
			return r.problem("logging in to", registry, err)
		}
		resp, err := host.Client.Do(req)
		if err != nil {
			return r.problem("logging in to", registry, err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			return pingResult(registry, resp)
		}
		last = resp
		if err := host.Authorizer.AddResponses(ctx, []*http.Response{resp}); err != nil {
			break
		}
	}
	return pingResult(registry, last)
}

func pingResult(registry string, resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusUnauthorized, http.StatusForbidden:
		return drydock.Errorf(drydock.Denied, "registry %s refused the user or password", registry)
	}
	return drydock.Errorf(drydock.Unavailable, "registry %s answered %s", registry, resp.Status)
}
