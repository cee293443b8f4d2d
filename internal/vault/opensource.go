package vault

import (
	"net/url"
	"path/filepath"
	"strings"

	"github.com/drydockhq/drydock"
)

// OpenSource returns the source that a text describes:
//
//	hashivault+https://HOST[:PORT]/MOUNT[/FOLDER][?token-file=FILE&namespace=NAME&field=NAME&kv=1]
//	file:///FOLDER      a file for each secret
//	env:PREFIX          a variable of the server's environment for each secret
//
// Everything else is an error with code Invalid. Environ is NAME=value.
func OpenSource(text string, environ []string) (Source, error) {
	if prefix, ok := strings.CutPrefix(text, "env:"); ok {
		return newEnvironment(prefix, environ)
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "the store of a vault can't be understood: it is no URL")
	}
	switch u.Scheme {
	case "file":
		if u.Host != "" || !filepath.IsAbs(u.Path) {
			return nil, drydock.Errorf(drydock.Invalid, "%q is not the store of a vault", text).WithHint("folders are written as file:///FOLDER")
		}
		return Files{u.Path}, nil
	case "hashivault+https", "hashivault+http":
		return newHashiCorp(u, environ)
	}
	return nil, drydock.Errorf(drydock.Invalid, "%q is not the store of a vault", shownURL(text)).
		WithHint("one is hashivault+https://HOST/MOUNT, file:///FOLDER or env:PREFIX")
}

// noVersion refuses versions where there are none.
func noVersion(version string) error {
	if version != "" {
		return drydock.Errorf(drydock.NotFound, "the store of this vault has no versions")
	}
	return nil
}
