package cli

import (
	"cmp"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
	"github.com/drydockhq/drydock/internal/cli/output"
)

func assignmentTable(item any) output.Row {
	principal := cell("Principal", item, "principalName")
	if text(item, "principalName") == "" {
		principal = cell("Principal", item, "principalId") // who may not look into the directory
	}
	return output.Row{principal, cell("Role", item, "roleDefinitionName"), cell("Scope", item, "scope")}
}

// assigneeFlags say whose roles a command is about.
type assigneeFlags struct{ name, objectID string }

// principalTypes are what the resource manager calls the kinds of objects.
var principalTypes = map[string]string{servicePrincipals.path: "ServicePrincipal", users.path: "User", groups.path: "Group"}

func (w *assigneeFlags) define(f *flags) {
	f.StringVar(&w.name, "assignee", "", "client id, object id or name of the service principal; user name of a user; name of a group")
	f.StringVar(&w.objectID, "assignee-object-id", "", "object id, which is not looked up in the directory")
}

// id returns the object id, "" for nobody, and its type, "" for one that was not
// looked up.
func (w *assigneeFlags) id(c *call, s *session) (id, principalType string, err error) {
	switch {
	case w.name != "" && w.objectID != "":
		return "", "", usageError(c.cmd, drydock.Errorf(drydock.Invalid, "--assignee and --assignee-object-id exclude each other"))
	case w.name == "":
		return w.objectID, "", nil
	}
	g, err := s.graph()
	if err != nil {
		return "", "", err
	}
	o, kind, err := g.assignee(c, w.name)
	if isDenied(err) && guidForm.MatchString(w.name) {
		c.say("The directory can't be asked; %s is taken for an object id.", w.name)
		return w.name, "", nil
	}
	return text(o, "id"), principalTypes[kind.path], err
}

// assignee returns the service principal, user or group that a name names.
func (a *api) assignee(c *call, name string) (object, directoryKind, error) {
	kinds := []directoryKind{servicePrincipals, users, groups}
	if strings.Contains(name, "@") {
		kinds = []directoryKind{users, servicePrincipals, groups}
	}
	var first error
	for _, kind := range kinds {
		o, err := a.find(c, kind, name)
		if drydock.CodeOf(err) != drydock.NotFound {
			return o, kind, err
		}
		if first == nil {
			first = err
		}
	}
	return nil, directoryKind{}, first
}

type assignFlags struct {
	assignee   assigneeFlags
	scope      scopeFlags
	role, name string
	kind       args.Enum
}

func roleAssignmentCreate() command {
	r := assignFlags{kind: args.Enum{Choices: []string{"User", "Group", "ServicePrincipal", "ForeignGroup"}}}
	return command{
		use: "create", short: "Give a service principal, user or group a role", table: assignmentTable,
		example: "  drydock role assignment create --assignee ci --role AcrPush --scope $(drydock acr show -n contoso --query id -o tsv)",
		flags: func(f *flags) {
			f.StringVar(&r.role, "role", "", "name or id of the role")
			r.assignee.define(f)
			f.Var(&r.kind, "assignee-principal-type", "what the assignee is")
			r.scope.define(f)
			f.StringVarP(&r.name, "name", "n", "", "a GUID for the assignment (default: a new one)")
			f.need("role")
		},
		run: r.run,
	}
}

func (r *assignFlags) run(c *call) (any, error) {
	if r.scope == (scopeFlags{}) {
		return nil, missingFlags(c.cmd, []string{"scope"})
	}
	if r.assignee == (assigneeFlags{}) {
		return nil, missingFlags(c.cmd, []string{"assignee"})
	}
	a, err := c.api()
	if err != nil {
		return nil, err
	}
	scope, err := r.scope.path(c, a)
	if err != nil {
		return nil, err
	}
	role, err := a.roleID(c, r.role, scope)
	if err != nil {
		return nil, err
	}
	principal, kind, err := r.assignee.id(c, a.session)
	if err != nil {
		return nil, err
	}
	made, err := a.assign(c, assignment{grant{role, scope}, principal, cmp.Or(r.kind.Value, kind), r.name})
	if isAssigned(err) {
		// As in the Azure CLI: what is asked for is there.
		there, failed := a.assignments(c, assignmentQuery{scope: scope, principal: principal, role: role})
		if failed == nil && len(there) > 0 {
			return flat(there[0]), nil
		}
	}
	if err != nil {
		return nil, err
	}
	return flat(made), nil
}
