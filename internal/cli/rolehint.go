package cli

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	// deniedForm is how resource managers say what is missing.
	deniedForm = regexp.MustCompile(`client '([^']+)'.* perform action '([^']+)' over scope '([^']+)'`)
	// givenOn finds the part of a scope that roles are given on.
	givenOn = regexp.MustCompile(`(?i)^/subscriptions/[^/]+(/resourceGroups/[^/]+(/providers/Microsoft\.ContainerRegistry/registries/[^/]+)?)?`)
)

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
