package cli

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/drydockhq/drydock/internal/cli/output"
)

const (
	containerVersion   = "2023-05-01"
	containerGroupType = "Microsoft.ContainerInstance/containerGroups"
)

// containerCommands are those for container groups.
func containerCommands() []command {
	return []command{
		containerCreate(), containerShow(), containerList(), containerDelete(),
		containerLogs(), containerExec(), containerAttach(), containerExport(),
		containerSwitch("start", "Start the containers of a group that was stopped"),
		containerSwitch("stop", "Stop the containers of a group"),
		containerSwitch("restart", "Make the containers of a group anew from their images as they are now"),
	}
}

// containerFlags name a container group.
type containerFlags struct{ name, group string }

func (g *containerFlags) define(f *flags) {
	f.StringVarP(&g.name, "name", "n", "", "name of the container group")
	f.StringVarP(&g.group, "resource-group", "g", "", "name of the resource group")
	f.need("name")
}

func (g *containerFlags) path(c *call, a *api) (string, error) {
	group, err := (&groupFlags{g.group}).path(c, a)
	return group + "/providers/" + containerGroupType + "/" + escape(g.name), err
}

// request returns a client and a request for the group, or for what is below it.
func (g *containerFlags) request(c *call, method, below string) (*api, request, error) {
	a, err := c.api()
	if err != nil {
		return nil, request{}, err
	}
	path, err := g.path(c, a)
	return a, request{method: method, path: path + below, version: containerVersion}, err
}

// get returns the group.
func (g *containerFlags) get(c *call) (*api, object, error) {
	a, r, err := g.request(c, http.MethodGet, "")
	if err != nil {
		return nil, nil, err
	}
	o, err := a.do(c.ctx, r)
	return a, o, err
}

// flatContainers shows a group as the Azure CLI does, whose containers have no
// properties and whose memory is in Gb.
func flatContainers(v any) any {
	flat(v)
	groups, isList := v.([]any)
	if !isList {
		groups = []any{v}
	}
	for _, g := range groups {
		for _, key := range []string{"containers", "initContainers"} {
			list, _ := at(g, key).([]any)
			for _, e := range list {
				flatContainer(e)
			}
		}
	}
	return v
}

func flatContainer(v any) {
	container, _ := v.(object)
	properties, _ := container["properties"].(object)
	delete(container, "properties")
	for key, value := range properties {
		container[key] = value
	}
	for _, key := range []string{"requests", "limits"} {
		if o, ok := at(container, "resources", key).(object); ok && o["memoryInGB"] != nil {
			o["memoryInGb"] = o["memoryInGB"]
			delete(o, "memoryInGB")
		}
	}
}

func containerTable(item any) output.Row {
	state := text(item, "instanceView", "state")
	if state == "" {
		state = text(item, "provisioningState")
	}
	containers, _ := at(item, "containers").([]any)
	var images []string
	var cpus, memory float64
	for _, c := range containers {
		images = append(images, text(c, "image"))
		n, _ := at(c, "resources", "requests", "cpu").(float64)
		cpus += n
		n, _ = at(c, "resources", "requests", "memoryInGb").(float64)
		memory += n
	}
	number := func(n float64) string {
		text := strconv.FormatFloat(n, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	}
	return output.Row{
		cell("Name", item, "name"), cell("ResourceGroup", item, "resourceGroup"),
		{Column: "Status", Value: shown(state)},
		{Column: "Image", Value: strings.Join(images, ",")},
		{Column: "IP:ports", Value: shown(addressAndPorts(item))},
		cell("Network", item, "ipAddress", "type"),
		{Column: "CPU/Memory", Value: number(cpus) + " core/" + number(memory) + " gb"},
		cell("OsType", item, "osType"), cell("Location", item, "location"),
	}
}

func addressAndPorts(item any) string {
	ports, ok := at(item, "ipAddress", "ports").([]any)
	if !ok {
		return ""
	}
	var numbers []string
	for _, p := range ports {
		numbers = append(numbers, strings.TrimSpace(shown(at(p, "port"))))
	}
	return text(item, "ipAddress", "ip") + ":" + strings.Join(numbers, ",")
}

func containerShow() command {
	var g containerFlags
	return command{use: "show", short: "Show a container group and how it stands", table: containerTable, flags: g.define, run: func(c *call) (any, error) {
		_, o, err := g.get(c)
		return flatContainers(o), err
	}}
}

func containerList() command {
	return resourcesOf{"List container groups", containerGroupType, containerVersion, containerTable, flatContainers}.command()
}

func containerDelete() command {
	var g containerFlags
	var yes, noWait bool
	return command{
		use: "delete", short: "Delete a container group with its containers", table: containerTable,
		flags: func(f *flags) {
			g.define(f)
			yesFlag(f, &yes)
			noWaitFlag(f, &noWait)
		},
		run: func(c *call) (any, error) {
			a, r, err := g.request(c, http.MethodDelete, "")
			if err != nil {
				return nil, err
			}
			if err := c.confirm(yes, "Delete the container group %q?", g.name); err != nil {
				return nil, err
			}
			gone, err := a.operate(c.ctx, r, !noWait)
			if err != nil || len(gone) == 0 {
				return nil, err
			}
			return flatContainers(gone), nil
		},
	}
}

// containerSwitch makes the commands that have nothing but a name.
func containerSwitch(verb, short string) command {
	var g containerFlags
	var noWait bool
	return command{
		use: verb, short: short,
		flags: func(f *flags) {
			g.define(f)
			if verb != "stop" {
				noWaitFlag(f, &noWait)
			}
		},
		run: func(c *call) (any, error) {
			a, r, err := g.request(c, http.MethodPost, "/"+verb)
			if err != nil {
				return nil, err
			}
			_, err = a.operate(c.ctx, r, !noWait)
			return nil, err
		},
	}
}
