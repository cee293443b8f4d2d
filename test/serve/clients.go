package serve

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// Host returns a host of the server, as "management" or "contoso.azurecr".
func (s *Server) Host(name string) string { return name + "." + s.Domain + ":" + s.Port }

// LoginServer returns the host of a registry.
func (s *Server) LoginServer(registry string) string {
	return s.Host(strings.ToLower(registry) + ".azurecr")
}

// Transport reaches the server by the names of its hosts, and trusts it.
func (s *Server) Transport() *http.Transport {
	s.t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(s.CA) {
		s.t.Fatal("the server's CA is no certificate")
	}
	t := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: pool},
		ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if host, _, err := net.SplitHostPort(address); err == nil && strings.HasSuffix(host, "."+s.Domain) {
				address = s.Addr
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
	s.t.Cleanup(t.CloseIdleConnections)
	return t
}

// HTTP is a client with the server's transport.
func (s *Server) HTTP() *http.Client { return &http.Client{Transport: s.Transport()} }

// Cloud describes the server to the Azure SDK.
func (s *Server) Cloud() cloud.Configuration {
	return cloud.Configuration{
		ActiveDirectoryAuthorityHost: "https://" + s.Host("login") + "/",
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: "https://" + s.Host("management"), Audience: "https://" + s.Host("management")},
		},
	}
}

// ClientOptions are those of the Azure SDK for this server, with few and quick
// repetitions.
func (s *Server) ClientOptions() azcore.ClientOptions {
	return azcore.ClientOptions{
		Cloud: s.Cloud(), Transport: s.HTTP(), Retry: policy.RetryOptions{MaxRetries: -1},
		Telemetry: policy.TelemetryOptions{Disabled: true},
	}
}

// ARM are the options of the SDK's resource manager clients.
func (s *Server) ARM() *arm.ClientOptions {
	return &arm.ClientOptions{ClientOptions: s.ClientOptions(), DisableRPRegistration: true}
}

// Admin is the admin's credential.
func (s *Server) Admin() azcore.TokenCredential { return s.Credential(s.ClientID, s.Secret) }

// Credential is that of a service principal.
func (s *Server) Credential(clientID, secret string) azcore.TokenCredential {
	s.t.Helper()
	c, err := azidentity.NewClientSecretCredential(s.Tenant, clientID, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: s.ClientOptions(), DisableInstanceDiscovery: true,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}
