package cli

import (
	"net/url"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
)

// assignmentQuery selects role assignments.
type assignmentQuery struct {
	scope     string // all of the subscription, at any depth, if it is empty
	principal string // object id; everybody if it is empty
	role      string // id; all if it is empty
	inherited bool   // also those of what the scope is in
}

// read fills in a query from flags.
func (q *assignmentQuery) read(c *call, a *api, scope scopeFlags, who assigneeFlags, role string) (err error) {
	if q.scope, err = scope.path(c, a); err != nil {
		return err
	}
	if role != "" {
		if q.role, err = a.roleID(c, role, q.scope); err != nil {
			return err
		}
	}
	q.principal, _, err = who.id(c, a.session)
	return err
}

// assignments returns the selected ones. Principals and roles are compared here:
// resource managers take no filter of both a scope and a principal.
func (a *api) assignments(c *call, q assignmentQuery) ([]any, error) {
	r := request{path: a.base + authorizationPath + "/roleAssignments", version: rolesVersion}
	if q.scope != "" {
		r.path = q.scope + authorizationPath + "/roleAssignments"
		r.query = url.Values{"$filter": {"atScope()"}}
	}
	all, err := a.list(c.ctx, r, 0)
	found := []any{}
	for _, item := range all {
		p := at(item, "properties")
		if (q.scope == "" || q.inherited || strings.EqualFold(text(p, "scope"), q.scope)) &&
			(q.principal == "" || strings.EqualFold(text(p, "principalId"), q.principal)) &&
			(q.role == "" || strings.EqualFold(lastPart(text(p, "roleDefinitionId")), lastPart(q.role))) {
			found = append(found, item)
		}
	}
	return found, err
}

func lastPart(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

type assignmentListFlags struct {
	assignee               assigneeFlags
	scope                  scopeFlags
	role                   string
	all, inherited, groups bool
	roleNames, names       args.Bool
}

func roleAssignmentList() command {
	var r assignmentListFlags
	return command{
		use: "list", short: "List who has which roles", table: assignmentTable,
		flags: func(f *flags) {
			r.assignee.define(f)
			f.StringVar(&r.role, "role", "", "name or id of the role")
			r.scope.define(f)
			f.BoolVar(&r.all, "all", false, "all of the subscription, at any depth")
			f.BoolVar(&r.inherited, "include-inherited", false, "those of what the scope is in, too")
			f.BoolVar(&r.groups, "include-groups", false, "those of the assignee's groups, of which there are none")
			r.names.Var(f.FlagSet, "fill-principal-name", "look up the names of principals (default: true)")
			r.roleNames.Var(f.FlagSet, "fill-role-definition-name", "look up the names of roles (default: true)")
		},
		run: r.run,
	}
}

func (r *assignmentListFlags) run(c *call) (any, error) {
	if r.all && r.scope != (scopeFlags{}) {
		return nil, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "--all excludes --scope and --resource-group"))
	}
	a, err := c.api()
	if err != nil {
		return nil, err
	}
	q := assignmentQuery{inherited: r.inherited}
	if err := q.read(c, a, r.scope, r.assignee, r.role); err != nil {
		return nil, err
	}
	if r.all {
		q.scope = ""
	}
	found, err := a.assignments(c, q)
	if err != nil {
		return nil, err
	}
	list, _ := flat(found).([]any)
	if r.roleNames.Or(true) {
		if err := a.nameRoles(c, list); err != nil {
			return nil, err
		}
	}
	if r.names.Or(true) {
		if err := a.namePrincipals(c, list); err != nil {
			return nil, err
		}
	}
	return list, nil
}
