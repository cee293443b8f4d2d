package cli

import (
	"net/http"
	"strings"

	"github.com/drydockhq/drydock"
)

// image is a name of one: NAME, NAME:TAG or NAME@DIGEST.
type image struct{ repository, tag, digest string }

// parseImage reads the name of an image; one without a tag is the latest.
func parseImage(text string) (image, error) {
	if name, digest, ok := strings.Cut(text, "@"); ok && name != "" && strings.Contains(digest, ":") {
		return image{repository: name, digest: digest}, nil
	}
	name, tag, ok := strings.Cut(text, ":")
	if !ok {
		tag = "latest"
	}
	if name == "" || tag == "" || strings.ContainsAny(tag, ":/@") {
		return image{}, drydock.Errorf(drydock.Invalid, "%q is not the name of an image", text).
			WithHint("it is of the form name:tag or name@digest, without the registry")
	}
	return image{repository: name, tag: tag}, nil
}

// path returns where the attributes of the image are.
func (i image) path() string {
	if i.digest != "" {
		return "/acr/v1/" + i.repository + "/_manifests/" + i.digest
	}
	return "/acr/v1/" + i.repository + "/_tags/" + i.tag
}

// resolve returns the image with its digest.
func (i image) resolve(c *call, d *dataPlane) (image, error) {
	if i.digest != "" {
		return i, nil
	}
	o, err := d.do(c.ctx, dataRequest{method: http.MethodGet, path: i.path(), scope: repositoryScope(i.repository, "metadata_read")})
	if err != nil {
		return i, err
	}
	if i.digest = text(o, "tag", "digest"); i.digest == "" {
		return i, drydock.Errorf(drydock.Failed, "the registry does not say what %s:%s is", i.repository, i.tag)
	}
	return i, nil
}

// digestOf returns an image of the registry as repository@digest.
func (r *registry) digestOf(c *call, text string) (string, error) {
	i, err := parseImage(text)
	if err != nil {
		return "", err
	}
	if i, err = i.resolve(c, r.session.dataPlane(r.name, nil)); err != nil {
		return "", err
	}
	return i.repository + "@" + i.digest, nil
}
