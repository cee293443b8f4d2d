package cli

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/drydockhq/drydock"
)

// credentialFlags say how a task signs in to another registry.
type credentialFlags struct {
	taskFlags
	server, user, password, identity string
}

func (k *credentialFlags) define(f *flags) {
	k.defineServer(f)
	f.StringVarP(&k.user, "username", "u", "", "user name, or the URL of a secret in a vault")
	f.StringVarP(&k.password, "password", "p", "", "password, or the URL of a secret in a vault")
	f.StringVar(&k.identity, "use-identity", "", "identity of the task that signs in, or reads the vault: [system], or a client id")
}

func (k *credentialFlags) defineServer(f *flags) {
	k.taskFlags.define(f)
	f.StringVar(&k.server, "login-server", "", "host of the registry")
	f.need("login-server")
}

// change sets the credentials for the registry, nil to remove them, and returns
// those for all.
func (k *credentialFlags) change(c *call, t *task, credentials any) (any, error) {
	changed, err := t.patch(c, object{"properties": object{"credentials": object{"customRegistries": object{k.server: credentials}}}})
	if err != nil {
		return nil, err
	}
	return customRegistries(changed), nil
}

// known takes the spelling of the host that the task has it in, if it has
// credentials for it: hosts have no case.
func (k *credentialFlags) known(task object) bool {
	for host := range customRegistries(task) {
		if strings.EqualFold(host, k.server) {
			k.server = host
			return true
		}
	}
	return false
}

func customRegistries(task object) object {
	o, ok := at(task, "properties", "credentials", "customRegistries").(object)
	if !ok {
		return object{}
	}
	return o
}

// credentials returns what the flags say.
func (k *credentialFlags) credentials(c *call, t *task) (object, error) {
	if k.user == "" && k.password == "" {
		if k.identity == "" {
			return nil, usageError(c.cmd, fmt.Errorf("--username and --password are required, or --use-identity"))
		}
		return object{"identity": k.identity}, nil
	}
	vault := t.session.cloud.VaultSuffix
	return with("userName", secretObject(k.user, vault), "password", secretObject(k.password, vault), "identity", k.identity), nil
}

// secretObject tells secrets in a vault from plain ones, by the host of vaults:
// of the cloud that the client works with, or of one of Azure's.
func secretObject(value, vault string) object {
	kind := "Opaque"
	if vault != "" && strings.Contains(strings.ToUpper(value), strings.ToUpper(vault)) || isVaultSecret(value) {
		kind = "Vaultsecret"
	}
	return object{"type": kind, "value": value}
}

// isVaultSecret reports whether a value is the URL of a secret in a vault that has
// a name of one of Azure's clouds.
func isVaultSecret(value string) bool {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "https" || !strings.HasPrefix(u.Path, "/secrets/") {
		return false
	}
	_, kind, _, known := drydock.AzureHost(u.Host)
	return known && kind == drydock.VaultKind
}

func (k *credentialFlags) set(c *call, isNew bool) (any, error) {
	t, err := k.find(c)
	if err != nil {
		return nil, err
	}
	now, err := t.get(c)
	if err != nil {
		return nil, err
	}
	switch there := k.known(now); {
	case there && isNew:
		return nil, drydock.Errorf(drydock.Conflict, "the task has credentials for %s already", k.server).
			WithHint("change them with %s acr task credential update", c.Name)
	case !there && !isNew:
		return nil, drydock.Errorf(drydock.NotFound, "the task has no credentials for %s", k.server).
			WithHint("give it some with %s acr task credential add", c.Name)
	}
	credentials, err := k.credentials(c, t)
	if err != nil {
		return nil, err
	}
	return k.change(c, t, credentials)
}

func taskCredentialAdd() command {
	var k credentialFlags
	return command{use: "add", short: "Add credentials for a registry", table: loginTable, items: loginsOf, flags: k.define, run: func(c *call) (any, error) { return k.set(c, true) }}
}

func taskCredentialUpdate() command {
	var k credentialFlags
	return command{use: "update", short: "Change credentials for a registry", table: loginTable, items: loginsOf, flags: k.define, run: func(c *call) (any, error) { return k.set(c, false) }}
}

func taskCredentialRemove() command {
	var k credentialFlags
	return command{use: "remove", short: "Remove credentials for a registry", table: loginTable, items: loginsOf, flags: k.defineServer, run: func(c *call) (any, error) {
		t, err := k.find(c)
		if err != nil {
			return nil, err
		}
		now, err := t.get(c)
		if err != nil {
			return nil, err
		}
		k.known(now)
		return k.change(c, t, nil)
	}}
}

func taskCredentialList() command {
	var t taskFlags
	return command{use: "list", short: "List credentials for registries", table: loginTable, items: loginsOf, flags: t.define, run: func(c *call) (any, error) {
		task, err := t.find(c)
		if err != nil {
			return nil, err
		}
		now, err := task.get(c)
		if err != nil {
			return nil, err
		}
		return customRegistries(now), nil
	}}
}
