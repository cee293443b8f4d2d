package arm

import (
	"net/http"
	"strings"
)

const (
	subPath      = "/subscriptions/{subscriptionId}"
	groupPath    = subPath + "/resourceGroups/{resourceGroupName}"
	acrPath      = groupPath + "/providers/" + namespace
	registryPath = acrPath + "/registries/{registryName}"
	acrAction    = namespace + "/registries"
	groupAction  = "Microsoft.Resources/subscriptions/resourceGroups"
)

// table returns the routes. docs/api.md is made from it.
func (s *Server) table() []route {
	var all []route
	for _, part := range [][]route{
		s.managerRoutes(), s.groupRoutes(), s.roleRoutes(), s.registryRoutes(), s.taskRoutes(),
		s.runRoutes(), s.taskRunRoutes(), s.agentPoolRoutes(), s.webhookRoutes(), s.triggerHookRoutes(), s.scopeMapRoutes(), s.tokenRoutes(), s.userIdentityRoutes(), s.vaultRoutes(), s.auditRoutes(), s.containerGroupRoutes(), unservedRoutes(),
	} {
		all = append(all, part...)
	}
	return all
}

func (s *Server) managerRoutes() []route {
	const get = http.MethodGet
	return []route{
		{method: get, path: "/subscriptions", what: "List the subscription, for whoever has a role in it.", handle: s.listSubscriptions},
		{method: get, path: subPath, action: "Microsoft.Resources/subscriptions/read", somewhere: true, what: "Show the subscription.", handle: s.showSubscription},
		{method: get, path: subPath + "/locations", action: "Microsoft.Resources/subscriptions/locations/read", somewhere: true, what: "List the locations that there are; any other word can be one.", handle: s.listLocations},
		{method: get, path: "/tenants", what: "List the tenant.", handle: s.listTenants},
		{method: get, path: subPath + "/providers", action: "Microsoft.Resources/subscriptions/providers/read", somewhere: true, what: "List the resource providers.", handle: s.listProviders},
		{method: get, path: subPath + "/providers/{namespace}", action: "Microsoft.Resources/subscriptions/providers/read", somewhere: true, what: "Show a resource provider.", handle: s.showProvider},
		{method: http.MethodPost, path: subPath + "/providers/{namespace}/register", action: namespace + "/register/action", what: "Register a resource provider, which it is already.", handle: s.showProvider},
		{method: get, path: "/providers/" + namespace + "/operations", what: "List the actions that roles can give.", handle: s.listOperations},
		{method: get, path: subPath + "/resources", action: resourcesRead, somewhere: true, what: "List resources, by `$filter` on resourceType, name, resourceGroup, location, tagName, tagValue.", handle: s.listResources},
		{method: get, path: groupPath + "/resources", action: resourcesRead, somewhere: true, what: "List the resources of a group, by the same filters.", handle: s.listResources},
		{method: get, path: subPath + "/operationresults/{operationId}", what: "Ask whether an operation that was answered with 202 has ended.", handle: s.showOperation},
	}
}

func (s *Server) groupRoutes() []route {
	return []route{
		{method: http.MethodGet, path: subPath + "/resourceGroups", action: groupRead, somewhere: true, what: "List resource groups.", handle: s.listGroups},
		{method: http.MethodGet, path: groupPath, action: groupRead, what: "Show a resource group.", handle: s.showGroup},
		{method: http.MethodHead, path: groupPath, action: groupRead, what: "Ask whether a resource group exists.", handle: s.headGroup},
		{method: http.MethodPut, path: groupPath, action: groupAction + "/write", what: "Create or replace a resource group.", handle: s.putGroup},
		{method: http.MethodPatch, path: groupPath, action: groupAction + "/write", what: "Change the tags of a resource group.", handle: s.patchGroup},
		{method: http.MethodDelete, path: groupPath, action: groupAction + "/delete", what: "Delete a resource group with all that is in it, in the background.", handle: s.deleteGroup},
	}
}

// roleRoutes are the same at each of the scopes.
func (s *Server) roleRoutes() []route {
	var all []route
	for _, scope := range []string{subPath, groupPath, registryPath, vaultPath, vaultPath + "/secrets/{secretName}"} {
		base := scope + "/providers/" + authorization
		assignment := base + "/roleAssignments/{assignment}"
		all = append(all,
			route{method: http.MethodGet, path: base + "/roleDefinitions", action: roleDefinitionType + "/read", somewhere: true, what: "List the roles.", handle: s.listRoles},
			route{method: http.MethodGet, path: base + "/roleDefinitions/{role}", action: roleDefinitionType + "/read", somewhere: true, what: "Show a role.", handle: s.showRole},
			route{method: http.MethodGet, path: base + "/roleAssignments", action: roleAssignmentType + "/read", what: "List role assignments.", handle: s.listRoleAssignments},
			route{method: http.MethodGet, path: assignment, action: roleAssignmentType + "/read", what: "Show a role assignment.", handle: s.showRoleAssignment},
			route{method: http.MethodPut, path: assignment, action: roleAssignmentType + "/write", what: "Give a principal a role.", handle: s.putRoleAssignment},
			route{method: http.MethodDelete, path: assignment, action: roleAssignmentType + "/delete", what: "Take a role from a principal.", handle: s.deleteRoleAssignment},
		)
	}
	return all
}

func (s *Server) registryRoutes() []route {
	const (
		get  = http.MethodGet
		post = http.MethodPost
	)
	return []route{
		{method: post, path: subPath + "/providers/" + namespace + "/checkNameAvailability", action: namespace + "/checkNameAvailability/read", what: "Ask whether a registry can have a name.", handle: s.checkName},
		{method: get, path: subPath + "/providers/" + namespace + "/registries", action: acrAction + "/read", somewhere: true, what: "List registries.", handle: s.listRegistries},
		{method: get, path: acrPath + "/registries", action: acrAction + "/read", somewhere: true, what: "List the registries of a group.", handle: s.listRegistries},
		{method: get, path: registryPath, action: acrAction + "/read", what: "Show a registry.", handle: s.showRegistry},
		{method: http.MethodPut, path: registryPath, action: acrAction + "/write", what: "Create or replace a registry.", handle: s.putRegistry},
		{method: http.MethodPatch, path: registryPath, action: acrAction + "/write", what: "Change a registry.", handle: s.patchRegistry},
		{method: http.MethodDelete, path: registryPath, action: acrAction + "/delete", what: "Delete a registry with all that is in it.", handle: s.deleteResource},
		{method: post, path: registryPath + "/listCredentials", action: acrAction + "/listCredentials/action", what: "Show the passwords of the admin user.", handle: s.listCredentials},
		{method: post, path: registryPath + "/regenerateCredential", action: acrAction + "/regenerateCredential/action", what: "Replace a password of the admin user.", handle: s.regenerateCredential},
		{method: get, path: registryPath + "/listUsages", action: acrAction + "/listUsages/read", what: "Show how much a registry holds.", handle: s.listUsages},
		{method: post, path: registryPath + "/importImage", action: acrAction + "/importImage/action", what: "Copy an image into a registry, in the background.", handle: s.importImage},
		{method: post, path: registryPath + "/listBuildSourceUploadUrl", action: acrAction + "/listBuildSourceUploadUrl/action", what: "Get a place to upload a context to.", handle: s.newUpload},
		{method: post, path: registryPath + "/scheduleRun", action: acrAction + "/scheduleRun/action", what: "Queue a run: DockerBuildRequest, FileTaskRunRequest, EncodedTaskRunRequest or TaskRunRequest.", handle: s.scheduleRun},
	}
}

func (s *Server) taskRoutes() []route {
	tasks, task, action := registryPath+"/tasks", registryPath+"/tasks/{taskName}", acrAction+"/tasks"
	return []route{
		{method: http.MethodGet, path: tasks, action: action + "/read", what: "List tasks.", handle: s.listTasks},
		{method: http.MethodGet, path: task, action: action + "/read", what: "Show a task without its secrets.", handle: s.showTask},
		{method: http.MethodPut, path: task, action: action + "/write", what: "Create or replace a task.", handle: s.putTask},
		{method: http.MethodPatch, path: task, action: action + "/write", what: "Change a task: values, triggers and credentials are merged by name.", handle: s.patchTask},
		{method: http.MethodDelete, path: task, action: action + "/delete", what: "Delete a task.", handle: s.deleteResource},
		{method: http.MethodPost, path: task + "/listDetails", action: action + "/listDetails/action", what: "Show a task with its secrets.", handle: s.detailTask},
		{method: http.MethodGet, path: registryPath + "/taskDependencies", action: action + "/read", what: "Show what the tasks of a registry are built from, what they push, and what starts them. Not one of Azure's.", handle: s.listDependencies},
		{method: http.MethodGet, path: subPath + "/providers/" + namespace + "/taskDependencies", action: action + "/read", somewhere: true, what: "Show that of the tasks of all registries. Not one of Azure's.", handle: s.listDependencies},
	}
}

func (s *Server) runRoutes() []route {
	runs, run, action := registryPath+"/runs", registryPath+"/runs/{runId}", acrAction+"/runs"
	return []route{
		{method: http.MethodGet, path: runs, action: action + "/read", what: "List runs, newest first, by `$filter` on the fields of RunFilter.", handle: s.listRuns},
		{method: http.MethodGet, path: run, action: action + "/read", what: "Show a run.", handle: s.showRun},
		{method: http.MethodGet, path: run + "/cause", action: action + "/read", what: "Explain why a run ran: the event, the digests before and after, the runs that led to it. Not one of Azure's.", handle: s.showCause},
		{method: http.MethodPatch, path: run, action: action + "/write", what: "Change whether a run is archived.", handle: s.patchRun},
		{method: http.MethodPost, path: run + "/cancel", action: action + "/cancel/action", what: "Cancel a run.", handle: s.cancelRun},
		{method: http.MethodPost, path: run + "/rerun", action: action + "/rerun/action", what: "Queue a run that repeats one which has ended. Not one of Azure's.", handle: s.rerunRun},
		{method: http.MethodPost, path: run + "/listLogSasUrl", action: action + "/listLogSasUrl/action", what: "Get the links of a run's log.", handle: s.showLog},
	}
}

func (s *Server) taskRunRoutes() []route {
	all, one, action := registryPath+"/taskRuns", registryPath+"/taskRuns/{taskRunName}", acrAction+"/taskruns"
	return []route{
		{method: http.MethodGet, path: all, action: action + "/read", what: "List task runs.", handle: s.listTaskRuns},
		{method: http.MethodGet, path: one, action: action + "/read", what: "Show a task run and the run that it made.", handle: s.showTaskRun},
		{method: http.MethodPut, path: one, action: action + "/write", what: "Create a task run, which queues a run; again if its request or forceUpdateTag differs.", handle: s.putTaskRun},
		{method: http.MethodPatch, path: one, action: action + "/write", what: "Change a task run.", handle: s.patchTaskRun},
		{method: http.MethodDelete, path: one, action: action + "/delete", what: "Delete a task run; its run stays.", handle: s.deleteResource},
		{method: http.MethodPost, path: one + "/listDetails", action: action + "/listDetails/action", what: "Show a task run with its secrets.", handle: s.detailTaskRun},
	}
}

func (s *Server) agentPoolRoutes() []route {
	all, one, action := registryPath+"/agentPools", registryPath+"/agentPools/{agentPoolName}", acrAction+"/agentpools"
	return []route{
		{method: http.MethodGet, path: all, action: action + "/read", what: "List agent pools.", handle: s.listAgentPools},
		{method: http.MethodGet, path: one, action: action + "/read", what: "Show an agent pool.", handle: s.showAgentPool},
		{method: http.MethodPut, path: one, action: action + "/write", what: "Create or replace an agent pool: a name with a number of slots.", handle: s.putAgentPool},
		{method: http.MethodPatch, path: one, action: action + "/write", what: "Change an agent pool.", handle: s.patchAgentPool},
		{method: http.MethodDelete, path: one, action: action + "/delete", what: "Delete an agent pool. Runs that wait for it are canceled, with the reason; those that have begun go on. It is shown as Deleting for some seconds.", handle: s.deleteAgentPool},
		{method: http.MethodPost, path: one + "/listQueueStatus", action: action + "/listQueueStatus/action", what: "Count the runs that wait for an agent pool.", handle: s.countQueue},
	}
}

func (s *Server) webhookRoutes() []route {
	all, one, action := registryPath+"/webhooks", registryPath+"/webhooks/{webhookName}", acrAction+"/webhooks"
	return []route{
		{method: http.MethodGet, path: all, action: action + "/read", what: "List webhooks.", handle: s.listWebhooks},
		{method: http.MethodGet, path: one, action: action + "/read", what: "Show a webhook, but not where its messages go.", handle: s.showWebhook},
		{method: http.MethodPut, path: one, action: action + "/write", what: "Create or replace a webhook, which tells a URL of pushes, deletions and runs.", handle: s.putWebhook},
		{method: http.MethodPatch, path: one, action: action + "/write", what: "Change a webhook.", handle: s.patchWebhook},
		{method: http.MethodDelete, path: one, action: action + "/delete", what: "Delete a webhook with what was not sent yet.", handle: s.deleteResource},
		{method: http.MethodPost, path: one + "/getCallbackConfig", action: action + "/getCallbackConfig/action", what: "Show the URL, the headers and the signing secret of a webhook.", handle: s.showCallback},
		{method: http.MethodPost, path: one + "/listEvents", action: action + "/listEvents/action", what: "List the newest messages of a webhook with what became of them.", handle: s.listWebhookEvents},
		{method: http.MethodPost, path: one + "/ping", action: action + "/ping/action", what: "Send a message to try a webhook.", handle: s.pingWebhook},
	}
}

// unserved are the operations of Azure's that answer 501, by what they are for.
var unserved = []struct {
	methods string
	path    string // below a registry
	what    string
}{
	{"GET", "/cacheRules", "Cache rules"},
	{"GET PUT PATCH DELETE", "/cacheRules/{cacheRuleName}", "Cache rules"},
	{"GET", "/credentialSets", "Credential sets"},
	{"GET PUT PATCH DELETE", "/credentialSets/{credentialSetName}", "Credential sets"},
	{"GET", "/privateEndpointConnections", "Private endpoints"},
	{"GET PUT DELETE", "/privateEndpointConnections/{privateEndpointConnectionName}", "Private endpoints"},
	{"GET", "/privateLinkResources", "Private links"},
	{"GET", "/privateLinkResources/{groupName}", "Private links"},
	{"GET", "/replications", "Replications"},
	{"GET PUT PATCH DELETE", "/replications/{replicationName}", "Replications"},
}

// verbs are the ends of the actions of methods on a resource.
var verbs = map[string]string{"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete", "POST": "action"}

func unservedRoutes() []route {
	var all []route
	for _, u := range unserved {
		sentence := u.what + " are not part of this server."
		parts := strings.Split(u.path, "/{")
		action := acrAction + parts[0]
		if i := strings.LastIndexByte(u.path, '/'); strings.Contains(u.path, "}/") {
			action += u.path[i:]
		}
		for _, method := range strings.Fields(u.methods) {
			all = append(all, route{
				method: method, path: registryPath + u.path, action: action + "/" + verbs[method], what: sentence, unserved: true,
				handle: func(*request) (*answer, error) {
					return nil, &apiError{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: sentence}
				},
			})
		}
	}
	return all
}
