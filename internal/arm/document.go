package arm

import (
	"fmt"
	"strings"
)

const documentHead = `# The API

Made from the table of routes; ` + "`go test ./internal/arm -run TestDocument -update`" + ` writes it anew.

The host ` + "`management.<domain>`" + ` speaks the REST API of Azure's resource manager, as far as the tables below go.
Each request has an ` + "`api-version`" + `, and any will do: one superset answers all of them. Ids and names are
compared without regard to case. Errors have ARM's form and codes. A request needs a bearer token of
` + "`login.<domain>`" + ` for the resource manager, and its principal a role that gives the action in the table, on the
resource or on what it is in; where no action stands, any principal may. Lists show what their reader may read.

What goes on after its answer, an import and a deletion that takes longer than a few seconds, is answered with 202 and
` + "`Location`" + `; a container group and a task run show by ` + "`provisioningState`" + ` that they do. Until the end each answer has
` + "`Retry-After: 1`" + `. Everything else has been done when it is answered.

What is not Azure's: ` + "`runRegistry`" + ` in a task and in a run request is the login server, with a path if any, that stands
for the run's own registry; ` + "`listLogSasUrl`" + ` also answers with ` + "`logFollowLink`" + `, a stream of the log that ends with the
run; and ` + "`/metadata/endpoints`" + `, which needs no token, tells clients the other hosts. Service principals are looked after on
another host; see [graph.md](graph.md).

` + "`POST {R}/runs/{runId}/rerun`" + `, also not Azure's, takes no body and answers with a new run that repeats one which has
ended: the same request with its secrets, on the commit or the artifact that the run was made from, whatever its
branch or tag means by now; base images are looked up anew. The new run says so in ` + "`rerunOf`" + `, and has the type and the
trigger of the old one. When the old run was not made from what the task itself has, when the task was changed since, or
when a newer run was made from another commit, nothing is learnt from the new one about what the task is built from. It answers 409 with ` + "`RunNotEnded`" + `, with ` + "`SourceNotFound`" + ` when the upload is not kept any more, and
with ` + "`TaskNotFound`" + ` or ` + "`TaskDisabled`" + ` when the task may not run any more.

` + "`taskDependencies`" + ` and ` + "`cause`" + ` are what
` + "`drydock acr task graph`" + ` and ` + "`why`" + ` show. ` + "`taskTriggers.status`" + ` of a registry, ` + "`Enabled`" + ` or ` + "`Paused`" + `, holds back what would start runs by
itself; a PUT without it leaves it alone. A run has its ` + "`cause`" + ` among its properties. Webhooks have a ` + "`secret`" + `, which
` + "`getCallbackConfig`" + ` shows, and the actions ` + "`run`" + ` and ` + "`run_failed`" + `. Source triggers
have ` + "`paths`" + `, ` + "`cancelSuperseded`" + ` and ` + "`forkSecrets`" + `, and their ` + "`branch`" + ` may be a pattern. [triggers.md](triggers.md) tells more of all these.
`

// Document returns docs/api.md.
func Document() string {
	var served, not strings.Builder
	for _, rt := range (&Server{}).table() {
		to := &served
		if rt.unserved {
			to = &not
		}
		action := "—"
		if rt.action != "" {
			action = "`" + rt.action + "`"
		}
		fmt.Fprintf(to, "| %s | `%s` | %s | %s |\n", rt.method, short(rt.path), action, rt.what)
	}
	const header = "\n| method | path | action | what |\n|---|---|---|---|\n"
	return documentHead + "\n`{S}` is `" + subPath + "`, `{G}` is `{S}/resourceGroups/{resourceGroupName}`, `{R}` is\n`{G}/providers/" + namespace + "/registries/{registryName}`.\n" +
		"\n## What is served\n" + header + served.String() +
		"\n## What answers 501\n\nOperations of Azure's that this server does not have.\n" + header + not.String() +
		"\n## What is refused\n\nValues that ask for what this server does not do, with 400 and `UnsupportedFeature`.\n" +
		"\n| of | property | value | why |\n|---|---|---|---|\n" + documentForeign("registries", foreignToRegistries) +
		documentForeign("vaults", foreignToVaults)
}

func documentForeign(of string, features []foreignFeature) string {
	var rows strings.Builder
	for _, f := range features {
		fmt.Fprintf(&rows, "| %s | `%s` | `%s` | %s |\n", of, f.path, f.value, f.what)
	}
	return rows.String()
}

func short(path string) string {
	return strings.NewReplacer(registryPath, "{R}", groupPath, "{G}", subPath, "{S}").Replace(path)
}
