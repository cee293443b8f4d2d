package arm

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/drydockhq/drydock"
)

// Route is a row of the table of routes.
type Route struct {
	Method, Path, Action string
	Unserved             bool
}

// Routes returns the table.
func Routes() []Route {
	var all []Route
	for _, rt := range (&Server{}).table() {
		all = append(all, Route{rt.method, rt.path, rt.action, rt.unserved})
	}
	return all
}

// MergeTask is mergeTask.
func MergeTask(old, patch map[string]any) map[string]any { return mergeTask(old, patch) }

// ParseObject is parseObject.
func ParseObject(text string) (map[string]any, error) { return parseObject([]byte(text)) }

// SelectedRun reports whether a $filter of runs selects one with some values.
func SelectedRun(filter string, values map[string][]string) (bool, error) {
	f, err := parseFilter(filter, runFilterFields)
	if err != nil {
		return false, err
	}
	return f.Matches(values), nil
}

// RunRequestOf reads a run request as it comes from a client.
func RunRequestOf(text string) (drydock.RunRequest, error) {
	doc, err := parseObject([]byte(text))
	if err != nil {
		return drydock.RunRequest{}, err
	}
	if err := check(doc, runRequestFields); err != nil {
		return drydock.RunRequest{}, err
	}
	s := &Server{c: Config{Platforms: []string{"linux/amd64"}}}
	return s.requestOf(doc)
}

// RouteOf returns the route and the scope of a request.
func RouteOf(method, path string) (route string, params map[string]string, scope drydock.ResourceID, err error) {
	u, err := url.ParseRequestURI(path)
	if err != nil {
		return "", nil, scope, err
	}
	s := &Server{}
	s.routes = s.table()
	rt, params, err := s.route(&http.Request{Method: method, URL: u})
	if err != nil {
		return "", nil, scope, err
	}
	return rt.path, params, rt.scope(params), nil
}

// ContainerGroupOf reads a container group as it comes from a client.
func ContainerGroupOf(text string) (drydock.ContainerGroup, error) {
	doc, err := parseObject([]byte(text))
	if err != nil {
		return drydock.ContainerGroup{}, err
	}
	fillResources(doc)
	return checkContainerGroup(drydock.ResourceID{Types: []string{"containerGroups"}, Names: []string{"page"}}, doc)
}

// SealContainerGroup does to a client's document what happens before it is kept,
// and returns what is read back with the secrets, and the document without them.
func SealContainerGroup(text string) (kept drydock.ContainerGroup, public []byte, err error) {
	doc, err := parseObject([]byte(text))
	if err != nil {
		return kept, nil, err
	}
	fillResources(doc)
	cleanContainerGroup(doc)
	if err := sealVolumes(doc); err != nil {
		return kept, nil, err
	}
	id := drydock.ResourceID{Types: []string{"containerGroups"}, Names: []string{"page"}}
	if kept, err = containerGroupOf(id, doc); err != nil {
		return kept, nil, err
	}
	containerGroupSecrets(doc, func(_ string, o object, key string) { delete(o, key) })
	public, err = json.Marshal(doc)
	return kept, public, err
}
