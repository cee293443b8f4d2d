package cli

import (
	"net/http"

	"github.com/drydockhq/drydock"
)

// targetFlags name a repository, or an image in one.
type targetFlags struct {
	dataFlags
	repository, image string
}

func (t *targetFlags) define(f *flags) {
	t.byName(f)
	f.StringVar(&t.repository, "repository", "", "name of the repository")
	f.StringVarP(&t.image, "image", "t", "", "name of the image: name:tag or name@digest")
}

// target is a repository, or an image in one.
type target struct {
	image
	whole bool // the repository
}

func (t target) path() string {
	if t.whole {
		return "/acr/v1/" + t.repository
	}
	return t.image.path()
}

// attributes are below this key in the answers for images.
func (t target) key() string {
	switch {
	case t.whole:
		return ""
	case t.digest != "":
		return "manifest"
	}
	return "tag"
}

func (t *targetFlags) parse(c *call) (target, error) {
	if (t.repository == "") == (t.image == "") {
		return target{}, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "either --image or --repository is required"))
	}
	if t.repository != "" {
		return target{image{repository: t.repository}, true}, nil
	}
	i, err := parseImage(t.image)
	return target{i, false}, err
}

func (d *dataPlane) show(c *call, t target) (any, error) {
	shown, err := d.do(c.ctx, dataRequest{method: http.MethodGet, path: t.path(), scope: repositoryScope(t.repository, "metadata_read")})
	if err != nil || t.key() == "" {
		return shown, err
	}
	if shown[t.key()] == nil {
		return nil, drydock.Errorf(drydock.Failed, "the registry does not say anything of the %s", t.key())
	}
	return shown[t.key()], nil
}

func repositoryShow() command {
	var t targetFlags
	return command{use: "show", short: "Show the attributes of a repository or an image", flags: t.define, run: func(c *call) (any, error) {
		target, err := t.parse(c)
		if err != nil {
			return nil, err
		}
		p, err := t.open(c)
		if err != nil {
			return nil, err
		}
		return p.show(c, target)
	}}
}
