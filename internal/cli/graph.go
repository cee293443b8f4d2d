package cli

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/drydockhq/drydock"
)

// graphVersion is the version of Microsoft Graph that is spoken.
const graphVersion = "/v1.0"

var guidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// graph returns the client of the cloud's directory.
func (s *session) graph() (*api, error) {
	credential, err := s.credential()
	if err != nil {
		return nil, err
	}
	endpoint := strings.TrimRight(s.graphURL(), "/")
	options := s.clientOptions()
	return &api{
		session: s, endpoint: endpoint, base: graphVersion,
		pipeline: runtime.NewPipeline("drydock", "v1.0.0", runtime.PipelineOptions{
			PerRetry: []policy.Policy{runtime.NewBearerTokenPolicy(credential, []string{endpoint + "/.default"}, nil)},
		}, &options),
	}, nil
}

// graphURL is the directory's. A cloud that was registered before clients knew
// of directories follows the usual names.
func (s *session) graphURL() string {
	if s.cloud.MicrosoftGraph != "" {
		return s.cloud.MicrosoftGraph
	}
	manager, err := url.Parse(s.cloud.ResourceManager)
	if err != nil {
		return s.cloud.ResourceManager
	}
	return "https://graph." + strings.TrimPrefix(manager.Host, "management.")
}

// graph returns the client of the directory of the active cloud.
func (c *call) graph() (*api, error) {
	s, err := c.session()
	if err != nil {
		return nil, err
	}
	return s.graph()
}

// directoryKind is a kind of object in the directory.
type directoryKind struct {
	path string // below the version
	noun string
	// names is a condition that holds for the objects that a name names
	// unmistakably.
	names func(name string) string
}

var (
	servicePrincipals = directoryKind{"/servicePrincipals", "service principal", func(name string) string {
		return "servicePrincipalNames/any(c:c eq " + quote(name) + ")"
	}}
	applications = directoryKind{"/applications", "application", func(name string) string { return "appId eq " + quote(name) }}
	users        = directoryKind{"/users", "user", func(name string) string { return "userPrincipalName eq " + quote(name) }}
	groups       = directoryKind{"/groups", "group", func(name string) string { return "id eq " + quote(name) }}
)

// search returns the objects of a kind that a condition selects.
func (a *api) search(c *call, kind directoryKind, condition string) ([]any, error) {
	r := request{path: a.base + kind.path}
	if condition != "" {
		r.query = url.Values{"$filter": {condition}}
	}
	return a.list(c.ctx, r, 0)
}

// find returns the object that is named by its client id, its object id or, if
// there is only one of that name, its display name.
func (a *api) find(c *call, kind directoryKind, name string) (object, error) {
	conditions := []string{kind.names(name), "displayName eq " + quote(name)}
	if guidForm.MatchString(name) {
		conditions = []string{kind.names(name), "id eq " + quote(name)}
	}
	for _, condition := range conditions {
		found, err := a.search(c, kind, condition)
		if err != nil {
			return nil, err
		}
		switch len(found) {
		case 0:
			continue
		case 1:
			o, _ := found[0].(object)
			return o, nil
		}
		return nil, ambiguous(kind, name, found)
	}
	return nil, drydock.Errorf(drydock.NotFound, "there is no %s %q", kind.noun, name).
		WithHint("%s ad %s list shows them", c.Name, kind.command())
}

// command is the group of commands that is about a kind.
func (k directoryKind) command() string {
	switch k.path {
	case applications.path:
		return "app"
	case servicePrincipals.path:
		return "sp"
	}
	return k.noun
}

func ambiguous(kind directoryKind, name string, found []any) error {
	var ids []string
	for _, item := range found {
		id := text(item, "appId")
		if id == "" {
			id = text(item, "id")
		}
		ids = append(ids, id)
	}
	return drydock.Errorf(drydock.Conflict, "there are %d %ss %q", len(found), kind.noun, name).
		WithHint("name it by its id: %s", strings.Join(ids, ", "))
}

// object returns the path of an object.
func (a *api) object(kind directoryKind, o object) string {
	return fmt.Sprintf("%s%s/%s", a.base, kind.path, escape(text(o, "id")))
}
