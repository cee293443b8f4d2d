package source

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
)

// CheckGitURL takes a git URL apart and holds the result against what git, and
// what is logged, relies on.
func CheckGitURL(t *testing.T, spec string) {
	g, err := parseGit(spec)
	if err != nil {
		var user *drydock.Error
		if !errors.As(err, &user) || user.Code != drydock.Invalid {
			t.Errorf("%q: %v", spec, err)
		}
		return
	}
	if strings.HasPrefix(g.remote, "-") || strings.HasPrefix(g.ref, "-") || strings.ContainsAny(g.remote+g.ref, "\x00\n") {
		t.Errorf("%q: remote %q, ref %q", spec, g.remote, g.ref)
	}
	for part := range strings.SplitSeq(g.subdir, "/") {
		if part == ".." || part == "." || part == "" && g.subdir != "" {
			t.Errorf("%q: subdir %q", spec, g.subdir)
		}
	}
	if scheme, _, ok := strings.Cut(g.remote, "://"); ok {
		u, err := url.Parse(g.remote)
		if err != nil {
			t.Errorf("%q: remote %q: %v", spec, g.remote, err)
			return
		}
		if _, has := u.User.Password(); has || u.User != nil && scheme != "ssh" && scheme != "git" {
			t.Errorf("%q: remote %q has a user", spec, g.remote)
		}
	}
}

// GitURL returns the parts of a git URL.
func GitURL(spec string) (remote, ref, subdir, username, password string, err error) {
	g, err := parseGit(spec)
	if err != nil {
		return "", "", "", "", "", err
	}
	return g.remote, g.ref, g.subdir, g.username, g.password, nil
}
