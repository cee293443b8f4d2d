package cli

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/drydockhq/drydock/internal/cli/output"
)

// blank is what the Azure CLI's tables have for nothing.
const blank = " "

// cell makes a cell of a scalar at a path.
func cell(column string, item any, path ...any) output.Cell {
	return output.Cell{Column: column, Value: shown(at(item, path...))}
}

func shown(v any) string {
	value := blank
	switch v := v.(type) {
	case string:
		value = v
	case bool:
		value = "False"
		if v {
			value = "True"
		}
	case float64:
		value = strconv.FormatFloat(v, 'f', -1, 64)
	}
	if value == "" {
		return blank
	}
	return value
}

func registryTable(item any) output.Row {
	return output.Row{
		cell("NAME", item, "name"), cell("RESOURCE GROUP", item, "resourceGroup"), cell("LOCATION", item, "location"),
		cell("SKU", item, "sku", "name"), cell("LOGIN SERVER", item, "loginServer"),
		{Column: "CREATION DATE", Value: shown(when(text(item, "creationDate")))},
		cell("ADMIN ENABLED", item, "adminUserEnabled"),
	}
}

func usageTable(item any) output.Row {
	return output.Row{cell("NAME", item, "name"), cell("LIMIT", item, "limit"), cell("CURRENT VALUE", item, "currentValue"), cell("UNIT", item, "unit")}
}

func poolTable(item any) output.Row {
	return output.Row{
		cell("NAME", item, "name"), cell("COUNT", item, "count"), cell("TIER", item, "tier"), cell("STATE", item, "provisioningState"),
		cell("VNET", item, "virtualNetworkSubnetResourceId"), cell("OS", item, "os"),
	}
}

func manifestTable(item any) output.Row {
	return output.Row{
		cell("MediaType", item, "mediaType"), cell("ArtifactType", item, "artifactType"), cell("SubjectDigest", item, "subject", "digest"),
	}
}

func referrerTable(item any) output.Row {
	return output.Row{
		cell("Digest", item, "digest"), cell("ArtifactType", item, "artifactType"), cell("MediaType", item, "mediaType"), cell("Size", item, "size"),
	}
}

// referrersOf are the items of an index of referrers.
func referrersOf(index any) []any {
	all, _ := at(index, "manifests").([]any)
	return all
}

// loginTable has a row for each of a task's registries. Secrets stay out of it:
// it says what kind they are of.
func loginTable(item any) output.Row {
	return output.Row{
		cell("LOGIN SERVER", item, "loginServer"), cell("USERNAME", item, "userName", "type"),
		cell("PASSWORD", item, "password", "type"), cell("IDENTITY", item, "identity"),
	}
}

// loginsOf are the items of a task's credentials, by the names of registries.
func loginsOf(credentials any) []any {
	byServer, _ := credentials.(object)
	all := []any{}
	for _, server := range slices.Sorted(maps.Keys(byServer)) {
		login := object{"loginServer": server}
		if o, ok := byServer[server].(object); ok {
			maps.Copy(login, o)
		}
		all = append(all, login)
	}
	return all
}

func credentialTable(item any) output.Row {
	return output.Row{
		cell("USERNAME", item, "username"), cell("PASSWORD", item, "passwords", 0, "value"), cell("PASSWORD2", item, "passwords", 1, "value"),
	}
}

func taskTable(item any) output.Row {
	return output.Row{
		cell("NAME", item, "name"), platformCell(item), cell("STATUS", item, "status"),
		cell("SOURCE REPOSITORY", item, "step", "contextPath"),
		{Column: "TRIGGERS", Value: shown(triggersOf(item))},
	}
}

// platformCell has the system as az's tables do: in lower case, however it was
// asked for.
func platformCell(item any) output.Cell {
	return output.Cell{Column: "PLATFORM", Value: shown(strings.ToLower(text(item, "platform", "os")))}
}

// triggersOf names the kinds of triggers of a task that are enabled.
func triggersOf(task any) string {
	var on []string
	trigger := at(task, "trigger")
	if isEnabled(at(trigger, "baseImageTrigger")) {
		on = append(on, "BASE_IMAGE")
	}
	if isEnabled(at(trigger, "sourceTriggers", 0)) {
		on = append(on, "SOURCE")
	}
	timers, _ := at(trigger, "timerTriggers").([]any)
	if slices.ContainsFunc(timers, isEnabled) {
		on = append(on, "TIMER")
	}
	return strings.Join(on, ", ")
}

func isEnabled(trigger any) bool { return strings.EqualFold(text(trigger, "status"), "enabled") }

func identityTable(item any) output.Row {
	users := []string{}
	all, _ := at(item, "userAssignedIdentities").(object)
	for id := range all {
		users = append(users, id)
	}
	slices.Sort(users)
	return output.Row{
		cell("PRINCIPAL ID", item, "principalId"), cell("TENANT ID", item, "tenantId"), cell("TYPE", item, "type"),
		{Column: "USER ASSIGNED IDENTITIES", Value: shown(strings.Join(users, "\n"))},
	}
}

func runTable(item any) output.Row {
	return append(output.Row{
		cell("RUN ID", item, "runId"), cell("TASK", item, "task"), platformCell(item), cell("STATUS", item, "status"),
		{Column: "TRIGGER", Value: triggerOf(item)},
	}, timesOf(item)...)
}

// timesOf are the columns of when a run began and how long it took.
func timesOf(run any) output.Row {
	start, finish := text(run, "startTime"), text(run, "finishTime")
	return output.Row{
		{Column: "STARTED", Value: shown(when(start))}, {Column: "DURATION", Value: shown(duration(start, finish))},
	}
}

// triggerOf names what started a run.
func triggerOf(run any) string {
	switch {
	case text(run, "sourceTrigger", "eventType") != "":
		return text(run, "sourceTrigger", "eventType")
	case !isEmpty(at(run, "timerTrigger")):
		return "Timer"
	case !isEmpty(at(run, "imageUpdateTrigger")):
		return "Image Update"
	}
	return "Manual"
}

func taskrunTable(item any) output.Row {
	run := at(item, "runResult")
	return append(output.Row{
		cell("NAME", item, "name"), cell("RUN ID", run, "runId"), cell("TASK", run, "task"),
		platformCell(run), cell("STATUS", run, "status"),
	}, timesOf(run)...)
}
