package vault

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/drydockhq/drydock"
)

// Azure reads secrets of Azure's key vaults as the server itself. It keeps the
// tokens, and no secrets.
type Azure struct {
	// Options are those of all clients, but for the cloud.
	Options policy.ClientOptions
	// SignIn returns the credential for a cloud.
	SignIn func(o azcore.ClientOptions) (azcore.TokenCredential, error)

	mu      sync.Mutex
	clients map[string]*azsecrets.Client // by host
	signIns map[string]azcore.TokenCredential
}

var _ AzureReader = (*Azure)(nil)

// azureCloud returns the cloud of a vault's host.
func azureCloud(host string) cloud.Configuration {
	switch {
	case strings.HasSuffix(host, ".azure.cn"):
		return cloud.AzureChina
	case strings.HasSuffix(host, ".usgovcloudapi.net"):
		return cloud.AzureGovernment
	}
	return cloud.AzurePublic
}

// AzureSecret implements AzureReader.
func (a *Azure) AzureSecret(ctx context.Context, host, name, version string) (string, error) {
	client, err := a.client(host)
	if err != nil {
		return "", drydock.Errorf(drydock.Unavailable, "there is no key vault %s at this server, and it can't look for one in Azure: %w", vaultOf(host), err).
			WithHint("create the vault here, or let the server sign in to Azure with $AZURE_TENANT_ID, $AZURE_CLIENT_ID and $AZURE_CLIENT_SECRET")
	}
	found, err := client.GetSecret(ctx, name, version, nil)
	var answer *azcore.ResponseError
	switch {
	case errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound:
		return "", drydock.Errorf(drydock.NotFound, "the key vault %s of Azure has no secret %s", vaultOf(host), name)
	case errors.As(err, &answer) && answer.StatusCode == http.StatusForbidden:
		// Not Denied: the reader itself lacks nothing that can be given here.
		return "", drydock.Errorf(drydock.Unavailable, "the server's own identity in Azure may not read the secret %s of the key vault %s (%s)", name, vaultOf(host), answer.ErrorCode).
			WithHint("give that identity the role Key Vault Secrets User on the vault, in Azure")
	case errors.As(err, &answer):
		return "", drydock.Errorf(drydock.Unavailable, "the key vault %s of Azure answered %d (%s)", vaultOf(host), answer.StatusCode, answer.ErrorCode)
	case err != nil:
		return "", drydock.Errorf(drydock.Unavailable, "asking the key vault %s of Azure: %w", vaultOf(host), err)
	case found.Value == nil:
		return "", drydock.Errorf(drydock.NotFound, "the secret %s of the key vault %s of Azure has no value", name, vaultOf(host))
	}
	return *found.Value, nil
}

func vaultOf(host string) string {
	name, _, _ := strings.Cut(host, ".")
	return name
}

// client returns the client of a vault. The SDK checks that what the vault asks a
// token for is the cloud that the vault is in.
func (a *Azure) client(host string) (*azsecrets.Client, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.clients[host]; c != nil {
		return c, nil
	}
	if a.clients == nil {
		a.clients, a.signIns = map[string]*azsecrets.Client{}, map[string]azcore.TokenCredential{}
	}
	options := a.Options
	options.Cloud = azureCloud(host)
	authority := options.Cloud.ActiveDirectoryAuthorityHost
	credential := a.signIns[authority]
	if credential == nil {
		var err error
		if credential, err = a.SignIn(options); err != nil {
			return nil, err
		}
		a.signIns[authority] = credential
	}
	c, err := azsecrets.NewClient("https://"+host, credential, &azsecrets.ClientOptions{ClientOptions: options})
	if err != nil {
		return nil, err
	}
	a.clients[host] = c
	return c, nil
}

// SignInFrom returns what signs in to Azure with what an environment says: a
// client secret or certificate, a workload's token, or the identity endpoint of
// Azure's hosts; with managed also the identity of the machine.
func SignInFrom(environ []string, managed bool) func(azcore.ClientOptions) (azcore.TokenCredential, error) {
	has := func(names ...string) bool {
		for _, text := range environ {
			name, value, _ := strings.Cut(text, "=")
			for _, n := range names {
				if n == name && value != "" {
					return true
				}
			}
		}
		return false
	}
	return func(o azcore.ClientOptions) (azcore.TokenCredential, error) {
		switch {
		case has("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH"):
			return azidentity.NewEnvironmentCredential(&azidentity.EnvironmentCredentialOptions{ClientOptions: o})
		case has("AZURE_FEDERATED_TOKEN_FILE"):
			return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: o})
		case managed || has("IDENTITY_ENDPOINT"):
			return azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{ClientOptions: o})
		}
		return nil, errors.New("nothing in its environment says how it signs in there")
	}
}
