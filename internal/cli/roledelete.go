package cli

import (
	"net/http"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
)

type unassignFlags struct {
	ids       args.List
	assignee  assigneeFlags
	scope     scopeFlags
	role      string
	inherited bool
	yes       bool
}

func roleAssignmentDelete() command {
	var r unassignFlags
	return command{
		use: "delete", short: "Take roles away",
		flags: func(f *flags) {
			f.Var(&r.ids, "ids", "ids of assignments, instead of everything else")
			r.assignee.define(f)
			f.StringVar(&r.role, "role", "", "name or id of the role")
			r.scope.define(f)
			f.BoolVar(&r.inherited, "include-inherited", false, "those of what the scope is in, too")
			yesFlag(f, &r.yes)
		},
		run: r.run,
	}
}

func (r *unassignFlags) run(c *call) (any, error) {
	if len(r.ids.Values) == 0 && r.assignee == (assigneeFlags{}) && r.scope == (scopeFlags{}) && r.role == "" {
		return nil, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "one of --ids, --assignee, --assignee-object-id, --role, --resource-group and --scope is required"))
	}
	a, err := c.api()
	if err != nil {
		return nil, err
	}
	ids := r.ids.Values
	if len(ids) == 0 {
		if ids, err = r.find(c, a); err != nil {
			return nil, err
		}
	}
	for _, id := range ids {
		if _, err := a.do(c.ctx, request{method: http.MethodDelete, path: "/" + strings.Trim(id, "/"), version: rolesVersion}); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// find returns the ids of the assignments that the flags select.
func (r *unassignFlags) find(c *call, a *api) ([]string, error) {
	q := assignmentQuery{inherited: r.inherited}
	if err := q.read(c, a, r.scope, r.assignee, r.role); err != nil {
		return nil, err
	}
	found, err := a.assignments(c, q)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, drydock.Errorf(drydock.NotFound, "no role assignment is like that").
			WithHint("%s role assignment list --all shows them", c.Name)
	}
	ids := make([]string, len(found))
	for i, assignment := range found {
		ids[i] = text(assignment, "id")
	}
	return ids, nil
}
