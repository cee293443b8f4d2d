package cli

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/drydockhq/drydock"
)

var (
	// deniedForm is how resource managers say what is missing.
	deniedForm = regexp.MustCompile(`client '([^']+)'.* perform action '([^']+)' over scope '([^']+)'`)
	// givenOn finds the part of a scope that roles are given on.
	givenOn = regexp.MustCompile(`(?i)^/subscriptions/[^/]+(/resourceGroups/[^/]+(/providers/Microsoft\.ContainerRegistry/registries/[^/]+)?)?`)
)

// noRoleHelps reports whether a vault refuses, by the inner code of its answer, what
// it would refuse everybody.
func noRoleHelps(inner string) bool { return inner == "SecretDisabled" || inner == "PurgeProtected" }

// roleHint says what an owner can do for somebody who may not do something.
func roleHint(message, program string) string {
	m := deniedForm.FindStringSubmatch(message)
	if m == nil {
		return "ask an owner for a role assignment"
	}
	client, action, scope := m[1], m[2], givenOn.FindString(m[3])
	if scope == "" {
		return "ask an owner for a role assignment"
	}
	if strings.HasSuffix(strings.ToLower(action), "/read") && !strings.Contains(scope, "/resourceGroups/") {
		// It looked for something, and may not see anything. It need not see all.
		return fmt.Sprintf("it may look at nothing there; an owner can allow it: %s role assignment create --assignee %s --role Reader --scope ID", program, client)
	}
	// What is made is in something, on which the right is missing.
	switch strings.ToLower(action) {
	case "microsoft.containerregistry/registries/write":
		scope, _, _ = strings.Cut(scope, "/providers/")
	case "microsoft.resources/subscriptions/resourcegroups/write":
		scope = strings.Join(strings.Split(scope, "/")[:3], "/")
	}
	return fmt.Sprintf("an owner can allow it: %s role assignment create --assignee %s --role %s --scope %s", program, client, roleFor(action), scope)
}

// missingRight says what an owner can do for somebody to whom a registry gave a
// token, by which they are known, that does not allow what it was asked for.
func (d *dataPlane) missingRight(answer *azcore.ResponseError, scope string) error {
	told := explainAnswer(answer, d.app.Name)
	var e *drydock.Error
	if !errors.As(told, &e) {
		return told
	}
	assignee := d.user
	if assignee == "" {
		assignee = cmp.Or(d.account.PrincipalID, d.account.ClientID, "ID")
	}
	name, _, _ := strings.Cut(d.server, ".")
	return e.WithHint("an owner can allow it: %s role assignment create --assignee %s --role %s --scope $(%[1]s acr show -n %[4]s --query id -o tsv)",
		d.app.Name, assignee, registryRoleFor(scope), name)
}

// registryRoleFor names a role that gives what the scope of a registry's token
// asks for.
func registryRoleFor(scope string) string {
	switch actions := scope[strings.LastIndexByte(scope, ':')+1:]; {
	case strings.Contains(actions, "delete"):
		return "AcrDelete"
	case strings.Contains(actions, "push"), strings.Contains(actions, "write"):
		return "AcrPush"
	}
	return "AcrPull"
}

// roleFor names a role that gives an action.
func roleFor(action string) string {
	low := strings.ToLower(action)
	switch {
	case strings.HasSuffix(low, "/read"):
		return "Reader"
	case strings.HasPrefix(low, "microsoft.authorization/"):
		return "Owner"
	}
	return "Contributor"
}
