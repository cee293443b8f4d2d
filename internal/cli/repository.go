package cli

import "github.com/drydockhq/drydock/internal/cli/args"

// listFlags say which part of a list is shown.
type listFlags struct {
	top   int
	order args.Enum
}

func (l *listFlags) define(f *flags) {
	l.order.Choices = []string{"time_asc", "time_desc"}
	f.IntVar(&l.top, "top", 0, "how many are listed")
	f.Var(&l.order, "orderby", "in which order (default: that of the names)")
}

func repositoryList() command {
	var d dataFlags
	var top int
	return command{
		use: "list", short: "List repositories",
		flags: func(f *flags) {
			d.byName(f)
			f.IntVar(&top, "top", 0, "how many are listed")
		},
		run: func(c *call) (any, error) {
			p, err := d.open(c)
			if err != nil {
				return nil, err
			}
			return p.list(c.ctx, dataRequest{path: "/acr/v1/_catalog", scope: "registry:catalog:*"}, "repositories", "", top)
		},
	}
}

func repositoryTags() command {
	var d dataFlags
	var l listFlags
	var repository string
	var detail bool
	return command{
		use: "show-tags", short: "List the tags of a repository",
		flags: func(f *flags) {
			d.byName(f)
			f.StringVar(&repository, "repository", "", "name of the repository")
			l.define(f)
			f.BoolVar(&detail, "detail", false, "with digests, times and attributes")
			f.need("repository")
		},
		run: func(c *call) (any, error) {
			p, err := d.open(c)
			if err != nil {
				return nil, err
			}
			tags, err := p.tags(c, repository, l)
			if err != nil || detail {
				return tags, err
			}
			names := []any{}
			for _, tag := range tags {
				names = append(names, text(tag, "name"))
			}
			return names, nil
		},
	}
}

func (d *dataPlane) tags(c *call, repository string, l listFlags) ([]any, error) {
	return d.list(c.ctx, dataRequest{
		path: "/acr/v1/" + repository + "/_tags", scope: repositoryScope(repository, "metadata_read"),
	}, "tags", l.order.Value, l.top)
}

func (d *dataPlane) manifests(c *call, repository, actions string, l listFlags) ([]any, error) {
	return d.list(c.ctx, dataRequest{
		path: "/acr/v1/" + repository + "/_manifests", scope: repositoryScope(repository, actions),
	}, "manifests", l.order.Value, l.top)
}

func repositoryManifests() command {
	var d dataFlags
	var l listFlags
	var repository string
	var detail bool
	return command{
		use: "show-manifests", short: "List the manifests of a repository",
		flags: func(f *flags) {
			d.byName(f)
			f.StringVar(&repository, "repository", "", "name of the repository")
			l.define(f)
			f.BoolVar(&detail, "detail", false, "with sizes, platforms and attributes")
			f.need("repository")
		},
		run: func(c *call) (any, error) {
			p, err := d.open(c)
			if err != nil {
				return nil, err
			}
			all, err := p.manifests(c, repository, "metadata_read", l)
			if err != nil || detail {
				return all, err
			}
			for i, m := range all {
				tags, ok := at(m, "tags").([]any)
				if !ok {
					tags = []any{}
				}
				all[i] = object{"digest": text(m, "digest"), "tags": tags, "timestamp": text(m, "lastUpdateTime")}
			}
			return all, nil
		},
	}
}
