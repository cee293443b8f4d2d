package cli

import (
	"net/url"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
	"github.com/drydockhq/drydock/internal/cli/output"
)

const auditVersion = "2015-04-01"

func activityTable(item any) output.Row {
	return output.Row{
		{Column: "Time", Value: when(text(item, "eventTimestamp"))},
		cell("Caller", item, "caller"), cell("From", item, "httpRequest", "clientIpAddress"),
		cell("Operation", item, "operationName", "value"), cell("Status", item, "status", "value"),
		cell("Resource", item, "resourceId"),
	}
}

// activityFlags select events.
type activityFlags struct {
	group, resource, caller, status, namespace, correlation string
	start, end, offset                                      string
	most                                                    int
}

func (a *activityFlags) define(f *flags) {
	f.StringVarP(&a.group, "resource-group", "g", "", "name of the resource group")
	f.StringVar(&a.resource, "resource-id", "", "id of the resource")
	f.StringVar(&a.caller, "caller", "", "who did it: a name, a client id or an object id")
	f.StringVar(&a.status, "status", "", "Started, Succeeded, Denied or Failed")
	f.StringVar(&a.namespace, "namespace", "", "resource provider, as Microsoft.KeyVault")
	f.StringVar(&a.correlation, "correlation-id", "", "id of the event")
	f.StringVar(&a.start, "start-time", "", "from when on")
	f.StringVar(&a.end, "end-time", "", "until when (default: now)")
	f.StringVar(&a.offset, "offset", "6h", "how far before the end it begins, as 6h or 30d, unless there is --start-time")
	f.IntVar(&a.most, "max-events", 50, "how many at most")
}

// filter returns the condition that the flags make.
func (a *activityFlags) filter(c *call) (string, error) {
	end := c.Now()
	var err error
	if a.end != "" {
		if end, err = utcTime(a.end); err != nil {
			return "", usageError(c.cmd, err)
		}
	}
	var start time.Time
	if a.start != "" {
		start, err = utcTime(a.start)
	} else {
		start, err = a.before(end)
	}
	if err != nil {
		return "", usageError(c.cmd, err)
	}
	conditions := []string{
		"eventTimestamp ge " + quote(start.UTC().Format(time.RFC3339)), "eventTimestamp le " + quote(end.UTC().Add(time.Second).Format(time.RFC3339)),
	}
	for _, f := range []struct{ field, value string }{
		{"resourceGroupName", a.group},
		{"resourceUri", a.resource},
		{"caller", a.caller},
		{"status", a.status},
		{"resourceProvider", a.namespace},
		{"correlationId", a.correlation},
	} {
		if f.value != "" {
			conditions = append(conditions, f.field+" eq "+quote(f.value))
		}
	}
	return strings.Join(conditions, " and "), nil
}

// before returns the time that --offset stands for.
func (a *activityFlags) before(end time.Time) (time.Time, error) {
	text := a.offset
	days, ok := strings.CutSuffix(text, "d")
	if ok {
		text = days + "h"
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return time.Time{}, drydock.Errorf(drydock.Invalid, "argument --offset: %q is not a time such as 6h or 30d", a.offset)
	}
	if ok {
		d *= 24
	}
	return end.Add(-d), nil
}

func monitorCommands() []command {
	return []command{{use: "activity-log", short: "What was done, by whom and from where", group: []command{activityList()}}}
}

func activityList() command {
	var a activityFlags
	var selected args.List
	return command{
		use: "list", short: "List writes and reads of secrets, the newest first", table: activityTable,
		example: "  drydock monitor activity-log list --namespace Microsoft.KeyVault --offset 1d -o table",
		flags: func(f *flags) {
			a.define(f)
			f.Var(&selected, "select", "keys of the result to show")
		},
		run: func(c *call) (any, error) {
			filter, err := a.filter(c)
			if err != nil {
				return nil, err
			}
			api, err := c.api()
			if err != nil {
				return nil, err
			}
			list, err := api.list(c.ctx, request{
				path: api.base + "/providers/Microsoft.Insights/eventtypes/management/values", version: auditVersion,
				query: url.Values{"$filter": {filter}},
			}, a.most)
			if err != nil || len(selected.Values) == 0 {
				return list, err
			}
			for i := range list {
				some := object{}
				for _, key := range selected.Values {
					some[key] = at(list[i], key)
				}
				list[i] = some
			}
			return list, nil
		},
	}
}
