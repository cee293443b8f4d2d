package cli

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/profile"
)

// session is somebody signed in to a cloud.
type session struct {
	app          *app
	profile      *profile.Profile
	cloud        profile.Cloud
	account      profile.Account
	subscription profile.Subscription
	http         *http.Client
}

// session returns the one of the active cloud.
func (c *call) session() (*session, error) {
	p, err := c.store.Load()
	if err != nil {
		return nil, err
	}
	cloud, ok := p.Cloud(c.activeCloud(p))
	account, signedIn := p.Accounts[c.activeCloud(p)]
	if !ok || !signedIn {
		return nil, c.notSignedIn()
	}
	s := &session{app: c.app, profile: p, cloud: cloud, account: account}
	if s.http, err = c.httpClient(cloud); err != nil {
		return nil, err
	}
	wanted := account.Default
	if c.global.subscription != "" {
		wanted = c.global.subscription
	}
	if s.subscription, ok = findSubscription(account, wanted); !ok {
		return nil, drydock.Errorf(drydock.NotFound, "there is no subscription %q", wanted).WithHint("%s account list shows them", c.Name)
	}
	return s, nil
}

func (a *app) notSignedIn() error {
	e := drydock.Errorf(drydock.Denied, "nobody is signed in")
	if a.getenv("IDENTITY_ENDPOINT") != "" { // in a step of a run, and on Azure's machines
		return e.WithHint("%s login --identity", a.Name)
	}
	return e.WithHint("%s login --endpoint https://management.DOMAIN --service-principal -u ID -p SECRET --tenant TENANT", a.Name)
}

func findSubscription(account profile.Account, nameOrID string) (profile.Subscription, bool) {
	for _, s := range account.Subscriptions {
		if strings.EqualFold(s.ID, nameOrID) || strings.EqualFold(s.Name, nameOrID) {
			return s, true
		}
	}
	return profile.Subscription{}, false
}

// clientOptions are what all clients of the SDK get.
func (s *session) clientOptions() policy.ClientOptions {
	o := policy.ClientOptions{
		Cloud: cloud.Configuration{
			ActiveDirectoryAuthorityHost: s.authorityHost(),
			Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
				cloud.ResourceManager: {Audience: s.cloud.Audience, Endpoint: s.cloud.ResourceManager},
			},
		},
		Transport: s.http,
		Telemetry: policy.TelemetryOptions{ApplicationID: "drydock", Disabled: false},
	}
	if s.app.global.debug || s.app.global.verbose {
		o.Transport = &tracer{next: s.http, out: s.app.Stderr}
	}
	return o
}

// authorityHost is the authority without /adfs, which the SDK has as a tenant.
func (s *session) authorityHost() string {
	return strings.TrimSuffix(strings.TrimRight(s.cloud.ActiveDirectory, "/"), "/adfs") + "/"
}

func (s *session) tenant() string {
	if strings.HasSuffix(strings.TrimRight(s.cloud.ActiveDirectory, "/"), "/adfs") {
		return "adfs"
	}
	return s.account.Tenant
}

// api returns the client of the resource manager.
func (s *session) api() (*api, error) {
	credential, err := s.credential()
	if err != nil {
		return nil, err
	}
	client, err := arm.NewClient("drydock", "v1.0.0", credential, &arm.ClientOptions{
		ClientOptions: s.clientOptions(), DisableRPRegistration: true,
	})
	if err != nil {
		return nil, fmt.Errorf("making a client of the resource manager: %w", err)
	}
	return &api{
		session: s, pipeline: client.Pipeline(), endpoint: strings.TrimRight(s.cloud.ResourceManager, "/"),
		base: "/subscriptions/" + s.subscription.ID,
	}, nil
}

// api returns the client of the resource manager of the active cloud.
func (c *call) api() (*api, error) {
	s, err := c.session()
	if err != nil {
		return nil, err
	}
	return s.api()
}
