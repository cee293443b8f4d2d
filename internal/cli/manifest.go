package cli

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drydockhq/drydock"
)

// manifestFlags name a repository or an image, as -r REGISTRY -n NAME or as an
// argument with the registry in front.
type manifestFlags struct {
	dataFlags
	name string
}

func (m *manifestFlags) define(f *flags) {
	m.byRegistry(f)
	f.StringVarP(&m.name, "name", "n", "", "name in the registry: of a repository, or as name:tag or name@digest")
}

// find returns the registry and the name in it.
func (m *manifestFlags) find(c *call) (*dataPlane, string, error) {
	if (m.name == "") == (len(c.args) == 0) {
		return nil, "", usageError(c.cmd, drydock.Errorf(drydock.Invalid, "either --registry and --name are required, or REGISTRY.HOST/NAME"))
	}
	if m.name == "" {
		server, name, ok := strings.Cut(strings.TrimPrefix(c.args[0], "https://"), "/")
		if !ok || name == "" {
			return nil, "", usageError(c.cmd, drydock.Errorf(drydock.Invalid, "%q is not of the form REGISTRY.HOST/NAME", c.args[0]))
		}
		m.registry, m.name = server, name
	}
	p, err := m.open(c)
	return p, m.name, err
}

// image returns the registry and an image in it.
func (m *manifestFlags) image(c *call) (*dataPlane, image, error) {
	p, name, err := m.find(c)
	if err != nil {
		return nil, image{}, err
	}
	i, err := parseImage(name)
	return p, i, err
}

// manifestTypes are the media types of manifests that are asked for.
const manifestTypes = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, " +
	"application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json, */*"

func (d *dataPlane) manifest(c *call, i image) (any, error) {
	reference := i.digest
	if reference == "" {
		reference = i.tag
	}
	return d.do(c.ctx, dataRequest{
		method: http.MethodGet, path: "/v2/" + i.repository + "/manifests/" + reference, scope: repositoryScope(i.repository, "pull"), accept: manifestTypes,
	})
}

// manifestCommand is one on an argument that may be left out for flags.
func manifestCommand(use, short string, define func(*flags), run func(*call) (any, error)) command {
	return command{use: use, short: short, args: cobra.MaximumNArgs(1), flags: define, run: run}
}

func manifestList() command {
	var m manifestFlags
	var l listFlags
	return manifestCommand("list [REPOSITORY]", "List the manifests of a repository, each as it is", func(f *flags) {
		m.define(f)
		l.define(f)
	}, func(c *call) (any, error) {
		p, repository, err := m.find(c)
		if err != nil {
			return nil, err
		}
		all, err := p.manifests(c, repository, "metadata_read", l)
		for i := range all {
			if all[i], err = p.manifest(c, image{repository: repository, digest: text(all[i], "digest")}); err != nil {
				return nil, err
			}
		}
		return all, err
	}).withTable(manifestTable)
}

func manifestMetadata() command {
	var m manifestFlags
	var l listFlags
	return manifestCommand("list-metadata [REPOSITORY]", "List what is known of the manifests of a repository", func(f *flags) {
		m.define(f)
		l.define(f)
	}, func(c *call) (any, error) {
		p, repository, err := m.find(c)
		if err != nil {
			return nil, err
		}
		return p.manifests(c, repository, "metadata_read", l)
	})
}

func manifestShow() command {
	var m manifestFlags
	return manifestCommand("show [IMAGE]", "Show a manifest as it is", m.define, func(c *call) (any, error) {
		p, i, err := m.image(c)
		if err != nil {
			return nil, err
		}
		return p.manifest(c, i)
	}).withTable(manifestTable)
}

func manifestReferrers() command {
	var m manifestFlags
	var kind string
	cmd := manifestCommand("list-referrers [IMAGE]", "List what refers to a manifest: signatures, lists of components", func(f *flags) {
		m.define(f)
		f.StringVar(&kind, "artifact-type", "", "type of artifact that is listed")
	}, func(c *call) (any, error) {
		p, i, err := m.image(c)
		if err != nil {
			return nil, err
		}
		if i, err = i.resolve(c, p); err != nil {
			return nil, err
		}
		path := "/v2/" + i.repository + "/referrers/" + i.digest
		if kind != "" {
			path += "?artifactType=" + url.QueryEscape(kind)
		}
		return p.do(c.ctx, dataRequest{method: http.MethodGet, path: path, scope: repositoryScope(i.repository, "pull")})
	}).withTable(referrerTable)
	cmd.items = referrersOf
	return cmd
}
