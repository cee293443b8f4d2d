// Package profile keeps what the client knows between two commands: clouds,
// who is signed in to them, defaults and tokens.
package profile

// Profile is the state of a user's client.
type Profile struct {
	Active   string             `json:"active,omitempty"` // name of the cloud in use
	Clouds   map[string]Cloud   `json:"clouds,omitempty"` // by name; those that were registered
	Accounts map[string]Account `json:"accounts,omitempty"`
	Defaults map[string]string  `json:"defaults,omitempty"` // group, location, acr
}

// Cloud is a Drydock server, or an Azure cloud.
type Cloud struct {
	Name            string `json:"name"`
	ResourceManager string `json:"resourceManager"`                    // URL without a final slash
	ActiveDirectory string `json:"activeDirectory"`                    // URL; ends with /adfs for that flavour
	Audience        string `json:"activeDirectoryResourceId"`          // that tokens for the resource manager are for
	MicrosoftGraph  string `json:"microsoftGraphResourceId,omitempty"` // URL, and what tokens for it are for
	RegistrySuffix  string `json:"acrLoginServerEndpoint,omitempty"`
	VaultSuffix     string `json:"keyvaultDns,omitempty"`
	StorageSuffix   string `json:"storageEndpoint,omitempty"`
	Authorities     string `json:"ca,omitempty"` // certificates in PEM form, beside those of the system
}

// Account is who is signed in to a cloud.
type Account struct {
	Kind          string         `json:"kind"` // ServicePrincipal, ManagedIdentity or User
	Tenant        string         `json:"tenant,omitempty"`
	ClientID      string         `json:"clientId,omitempty"`
	ObjectID      string         `json:"objectId,omitempty"`    // of a ManagedIdentity that is asked for by it
	ResourceID    string         `json:"resourceId,omitempty"`  // the same
	PrincipalID   string         `json:"principalId,omitempty"` // of a ManagedIdentity: the object id that its tokens have
	Secret        string         `json:"secret,omitempty"`
	Username      string         `json:"username,omitempty"`      // of a User
	HomeID        string         `json:"homeAccountId,omitempty"` // by which MSAL knows a User
	Subscriptions []Subscription `json:"subscriptions"`
	Default       string         `json:"default"` // id of the subscription in use
}

// The kinds of accounts.
const (
	ServicePrincipal = "servicePrincipal"
	ManagedIdentity  = "managedIdentity"
	User             = "user"
)

// Name returns what people know the account by; all managed identities have one of
// two names, as in the Azure CLI.
func (a Account) Name() string {
	switch {
	case a.Username != "":
		return a.Username
	case a.Kind == ManagedIdentity && a.ClientID+a.ObjectID+a.ResourceID == "":
		return "systemAssignedIdentity"
	case a.Kind == ManagedIdentity:
		return "userAssignedIdentity"
	}
	return a.ClientID
}

// Subscription is one that an account may use.
type Subscription struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Tenant string `json:"tenantId"`
	State  string `json:"state"`
}

// BuiltIn returns the clouds that need no registration.
func BuiltIn() []Cloud {
	return []Cloud{
		azure("AzureCloud", "https://management.azure.com", "https://login.microsoftonline.com", "https://management.core.windows.net/", "https://graph.microsoft.com/", "azurecr.io", "vault.azure.net", "core.windows.net"),
		azure("AzureChinaCloud", "https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn", "https://management.core.chinacloudapi.cn/", "https://microsoftgraph.chinacloudapi.cn/", "azurecr.cn", "vault.azure.cn", "core.chinacloudapi.cn"),
		azure("AzureUSGovernment", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us", "https://management.core.usgovcloudapi.net/", "https://graph.microsoft.us/", "azurecr.us", "vault.usgovcloudapi.net", "core.usgovcloudapi.net"),
	}
}

func azure(name, manager, directory, audience, graph, registry, vault, storage string) Cloud {
	return Cloud{
		Name: name, ResourceManager: manager, ActiveDirectory: directory, Audience: audience,
		MicrosoftGraph: graph,
		RegistrySuffix: "." + registry, VaultSuffix: "." + vault, StorageSuffix: storage,
	}
}

// Cloud returns the cloud with a name.
func (p *Profile) Cloud(name string) (Cloud, bool) {
	if c, ok := p.Clouds[name]; ok {
		return c, true
	}
	for _, c := range BuiltIn() {
		if c.Name == name {
			return c, true
		}
	}
	return Cloud{}, false
}

// Register adds a cloud, or replaces the one of its name. Who was signed in to
// that is so no more.
func (p *Profile) Register(c Cloud) {
	if p.Clouds == nil {
		p.Clouds = map[string]Cloud{}
	}
	p.Clouds[c.Name] = c
	delete(p.Accounts, c.Name)
}

// SignIn sets who is signed in to a cloud.
func (p *Profile) SignIn(cloud string, a Account) {
	if p.Accounts == nil {
		p.Accounts = map[string]Account{}
	}
	p.Accounts[cloud] = a
}
