package cli

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/drydockhq/drydock"
)

const registryType = "Microsoft.ContainerRegistry/registries"

// registryFlags say which registry a command is about.
type registryFlags struct {
	registry string
	group    string
}

// byRegistry defines -r/--registry.
func (r *registryFlags) byRegistry(f *flags) { r.define(f, "registry", "r") }

// byName defines -n/--name.
func (r *registryFlags) byName(f *flags) { r.define(f, "name", "n") }

func (r *registryFlags) define(f *flags, name, short string) {
	f.StringVarP(&r.registry, name, short, "", "name of the registry")
	f.StringVarP(&r.group, "resource-group", "g", "", "name of the resource group; found by the registry's name if left out")
}

// name returns the registry's name: the flag's, also if it is a login server, or
// the default one. In a step the login server that the run is told is the server's
// own, and the cloud may be one of Azure's.
func (r *registryFlags) name(c *call, s *session) (string, error) {
	name := r.registry
	if name == "" {
		name = s.profile.Defaults["acr"]
	}
	if suffix := s.cloud.RegistrySuffix; suffix != "" {
		name = strings.TrimSuffix(strings.TrimSuffix(name, "/"), suffix)
	}
	name, _, _ = strings.Cut(name, ".azurecr.")
	if name == "" {
		return "", usageError(c.cmd, drydock.Errorf(drydock.Invalid, "the name of the registry is missing").
			WithHint("name it with %s", registryFlag(c)))
	}
	return name, nil
}

func registryFlag(c *call) string {
	if c.cmd.Flags().Lookup("registry") != nil {
		return "--registry/-r"
	}
	return "--name/-n"
}

// registry is a registry in the resource manager.
type registry struct {
	*api
	name string
	path string // of the resource
}

// find returns the registry that the flags name.
func (r *registryFlags) find(c *call) (*registry, error) {
	a, err := c.api()
	if err != nil {
		return nil, err
	}
	name, err := r.name(c, a.session)
	if err != nil {
		return nil, err
	}
	group := r.group
	if group == "" {
		if group, err = a.groupOf(c, name); err != nil {
			return nil, err
		}
	}
	return &registry{
		api: a, name: name,
		path: a.base + "/resourceGroups/" + escape(group) + "/providers/" + registryType + "/" + escape(name),
	}, nil
}

// groupOf finds the resource group of a registry.
func (a *api) groupOf(c *call, name string) (string, error) {
	all, err := a.list(c.ctx, request{
		path: a.base + "/resources", version: resourcesVersion,
		query: url.Values{"$filter": {"resourceType eq '" + registryType + "'"}},
	}, 0)
	if err != nil {
		return "", err
	}
	for _, r := range all {
		if strings.EqualFold(text(r, "name"), name) {
			if m := groupOfID.FindStringSubmatch(text(r, "id")); m != nil {
				return m[1], nil
			}
		}
	}
	return "", drydock.Errorf(drydock.NotFound, "there is no registry %q in the subscription %q", name, a.session.subscription.Name).
		WithHint("%s acr list shows them; %[1]s acr create makes one", c.Name)
}

// get returns the registry itself.
func (r *registry) get(c *call) (object, error) {
	return r.do(c.ctx, request{method: http.MethodGet, path: r.path, version: registryVersion})
}
