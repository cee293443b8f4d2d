package cli

import (
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
)

// allIdentities stands for all of them where identities are removed.
const allIdentities = "[all]"

func identitiesFlag(f *flags, t *taskFlags, list *args.List) {
	t.define(f)
	list.Empty = true
	f.Var(list, "identities", "[system], or ids of others (default: [system])")
}

func taskIdentityAssign() command {
	var t taskFlags
	var list args.List
	return command{
		use: "assign", short: "Give a task identities", table: taskTable,
		flags: func(f *flags) { identitiesFlag(f, &t, &list) },
		run: func(c *call) (any, error) {
			task, err := t.find(c)
			if err != nil {
				return nil, err
			}
			changed, err := task.patch(c, object{"identity": identityOf(list.Values)})
			return flat(changed), err
		},
	}
}

func taskIdentityRemove() command {
	var t taskFlags
	var list args.List
	return command{
		use: "remove", short: "Take identities from a task", table: taskTable,
		flags: func(f *flags) { identitiesFlag(f, &t, &list) },
		run: func(c *call) (any, error) {
			if len(list.Values) > 1 && slices.Contains(list.Values, allIdentities) {
				return nil, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "%s can't be combined with other identities", allIdentities))
			}
			task, err := t.find(c)
			if err != nil {
				return nil, err
			}
			now, err := task.get(c)
			if err != nil {
				return nil, err
			}
			changed, err := task.patch(c, object{"identity": without(now["identity"], list.Values)})
			return flat(changed), err
		},
	}
}

// without returns an identity without some: without the system's for none.
func without(now any, ids []string) object {
	if slices.Contains(ids, allIdentities) {
		return object{"type": "None"}
	}
	system := text(now, "principalId") != "" && len(ids) > 0 && !slices.Contains(ids, systemIdentity)
	users, _ := at(now, "userAssignedIdentities").(object)
	left := object{}
	kept := []string{}
	if system {
		kept = append(kept, systemIdentity)
	}
	for id := range users {
		if slices.ContainsFunc(ids, func(given string) bool { return strings.EqualFold(given, id) }) {
			left[id] = nil // a merge takes it away
		} else {
			left[id] = object{}
			kept = append(kept, id)
		}
	}
	if len(kept) == 0 {
		return object{"type": "None"}
	}
	o := identityOf(kept)
	if len(left) > 0 {
		o["userAssignedIdentities"] = left
	}
	return o
}

func taskIdentityShow() command {
	var t taskFlags
	return command{use: "show", short: "Show the identity of a task", table: identityTable, flags: t.define, run: func(c *call) (any, error) {
		task, err := t.find(c)
		if err != nil {
			return nil, err
		}
		now, err := task.get(c)
		if err != nil {
			return nil, err
		}
		if now["identity"] == nil {
			return object{}, nil
		}
		return now["identity"], nil
	}}
}
