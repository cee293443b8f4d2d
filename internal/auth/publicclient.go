package auth

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/drydockhq/drydock"
)

// publicClients are the programs that people use without anybody registering
// them, with the ids that are built into them.
var publicClients = map[string]string{
	"04b07795-8ddb-461a-bbee-02f9e1bf7b46": "the Azure CLI, or Drydock's client",
	"1950a258-227b-4e31-a9cf-717495945fc2": "Azure PowerShell",
	"aebc6443-996d-45c2-90f0-388ff96faa56": "Visual Studio Code",
	"872cd9fa-d31f-45e0-9eab-6e460a02d1f1": "Visual Studio",
}

// client returns the id of the client that a person signs in to, in lower case.
// One that shows a secret has to show the right one.
func (a *Authority) client(r *http.Request) (string, error) {
	id, secret, err := clientCredentialsOf(r)
	if err != nil {
		return "", err
	}
	if id = strings.ToLower(id); id == "" {
		return "", missing("client_id")
	}
	if secret != "" {
		p, err := a.CheckSecret(r.Context(), id, secret)
		return p.AppID, err
	}
	_, err = a.clientName(r.Context(), id)
	return id, err
}

// clientName returns what people know a client by.
func (a *Authority) clientName(ctx context.Context, id string) (string, error) {
	if name, known := publicClients[id]; known {
		return name, nil
	}
	p, err := a.c.Principals.PrincipalByAppID(ctx, id)
	switch {
	case drydock.CodeOf(err) == drydock.NotFound,
		err == nil && p.Kind != drydock.Application && p.Kind != drydock.ServicePrincipal:
		return "", a.unknownClient(id)
	case err != nil:
		return "", fmt.Errorf("finding the application: %w", err)
	}
	return p.Name, nil
}

func (a *Authority) unknownClient(id string) *oauthError {
	return &oauthError{
		http.StatusBadRequest, "unauthorized_client", 700016,
		fmt.Sprintf("Application with identifier '%s' was not found in the directory '%s'.", printable(id), a.c.Tenant),
	}
}
