package cli

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/drydockhq/drydock"
)

func repositoryDelete() command {
	var t targetFlags
	var yes bool
	return command{
		use: "delete", short: "Delete a repository, or a manifest with all of its tags",
		flags: func(f *flags) {
			t.define(f)
			yesFlag(f, &yes)
		},
		run: func(c *call) (any, error) {
			target, err := t.parse(c)
			if err != nil {
				return nil, err
			}
			p, err := t.open(c)
			if err != nil {
				return nil, err
			}
			if !target.whole {
				return nil, p.deleteManifest(c, target.image, yes)
			}
			if err := c.confirm(yes, "Are you sure you want to delete the repository '%s' and all images under it?", t.repository); err != nil {
				return nil, err
			}
			return p.do(c.ctx, dataRequest{method: http.MethodDelete, path: target.path(), scope: repositoryScope(t.repository, "delete")})
		},
	}
}

// deleteManifest deletes a manifest, and says which tags go with it.
func (d *dataPlane) deleteManifest(c *call, i image, yes bool) error {
	i, err := i.resolve(c, d)
	if err != nil {
		return err
	}
	tags, err := d.tags(c, i.repository, listFlags{})
	if err != nil {
		return err
	}
	var lost []string
	for _, tag := range tags {
		if text(tag, "digest") == i.digest {
			lost = append(lost, fmt.Sprintf("'%s:%s'", i.repository, text(tag, "name")))
		}
	}
	what := fmt.Sprintf("This operation will delete the manifest '%s'", i.digest)
	if lost != nil {
		what += " and all the following images: " + strings.Join(lost, ", ")
	}
	if yes {
		c.say("%s", what)
	}
	if err := c.confirm(yes, "%s.\nAre you sure you want to continue?", what); err != nil {
		return err
	}
	_, err = d.do(c.ctx, dataRequest{
		method: http.MethodDelete, path: "/v2/" + i.repository + "/manifests/" + i.digest, scope: repositoryScope(i.repository, "delete"),
	})
	return err
}

func repositoryUntag() command {
	var d dataFlags
	var name string
	return command{
		use: "untag", short: "Remove a tag; its manifest stays",
		flags: func(f *flags) {
			d.byName(f)
			f.StringVarP(&name, "image", "t", "", "name of the image: name:tag")
			f.need("image")
		},
		run: func(c *call) (any, error) {
			i, err := parseImage(name)
			if err != nil {
				return nil, err
			}
			if i.tag == "" {
				return nil, drydock.Errorf(drydock.Invalid, "%q has no tag to remove", name)
			}
			p, err := d.open(c)
			if err != nil {
				return nil, err
			}
			return p.do(c.ctx, dataRequest{method: http.MethodDelete, path: i.path(), scope: repositoryScope(i.repository, "delete")})
		},
	}
}
