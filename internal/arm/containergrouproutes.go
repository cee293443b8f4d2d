package arm

import "net/http"

const (
	instanceNamespace  = "Microsoft.ContainerInstance"
	containerGroupType = instanceNamespace + "/containerGroups"
	containerGroupsAt  = groupPath + "/providers/" + containerGroupType
	containerGroupPath = containerGroupsAt + "/{containerGroupName}"
)

func (s *Server) containerGroupRoutes() []route {
	const (
		get, post = http.MethodGet, http.MethodPost
		action    = containerGroupType
		container = containerGroupPath + "/containers/{containerName}"
	)
	return []route{
		{method: get, path: subPath + "/providers/" + containerGroupType, action: action + "/read", somewhere: true, what: "List container groups.", handle: s.listContainerGroups},
		{method: get, path: containerGroupsAt, action: action + "/read", what: "List the container groups of a group.", handle: s.listContainerGroups},
		{method: get, path: containerGroupPath, action: action + "/read", what: "Show a container group and how it stands, without its secrets.", handle: s.showContainerGroup},
		{method: http.MethodPut, path: containerGroupPath, action: action + "/write", what: "Create a container group, or replace its containers: the ones that are there serve until the new ones do.", handle: s.putContainerGroup},
		{method: http.MethodPatch, path: containerGroupPath, action: action + "/write", what: "Change the tags of a container group.", handle: s.patchContainerGroup},
		{method: http.MethodDelete, path: containerGroupPath, action: action + "/delete", what: "Delete a container group with its containers.", handle: s.deleteContainerGroup},
		{method: post, path: containerGroupPath + "/start", action: action + "/start/action", what: "Start the containers of a group that was stopped.", handle: s.startContainerGroup},
		{method: post, path: containerGroupPath + "/stop", action: action + "/stop/action", what: "Stop the containers of a group.", handle: s.stopContainerGroup},
		{method: post, path: containerGroupPath + "/restart", action: action + "/restart/action", what: "Make the containers of a group anew from their images as they are now.", handle: s.restartContainerGroup},
		{method: get, path: container + "/logs", action: action + "/containers/logs/read", what: "Show the last lines that a container wrote, by `tail` and `timestamps`.", handle: s.showContainerLogs},
		{method: post, path: container + "/exec", action: action + "/containers/exec/action", what: "Run a command in a container, on a terminal behind a websocket.", handle: s.execContainer},
		{method: post, path: container + "/attach", action: action + "/containers/attach/action", what: "Follow the output of a container on a websocket.", handle: s.attachContainer},
	}
}
