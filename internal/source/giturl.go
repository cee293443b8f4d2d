package source

import (
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/source/egress"
)

// gitURL is a git source taken apart.
type gitURL struct {
	remote   string // what git is given; never a secret
	origin   string // scheme://host, which credentials are for; empty unless HTTP(S)
	host     string // of origin, with its port if any
	ref      string // branch, tag, commit, pull/N/head, refs/…; empty for the default branch
	subdir   string // relative to the repository, clean; empty for the whole
	username string // from the URL
	password string // from the URL: the only place that has it
}

// scpForm is user@host:path, the other way to write ssh.
var scpForm = regexp.MustCompile(`^([A-Za-z0-9_][A-Za-z0-9_.-]*)@([A-Za-z0-9][A-Za-z0-9.-]*):(.+)$`)

// refForm is what a ref may look like, more strictly than git: it can't be taken
// for an option, a refspec or a revision expression.
var refForm = regexp.MustCompile(`^[A-Za-z0-9_][^\x00-\x20\x7f~^:?*\[\\]*$`)

// parseGit takes a git source apart: URL#ref:subdir. Its errors hold nothing of
// the URL, which may have a secret in it.
func parseGit(spec string) (*gitURL, error) {
	address, fragment, _ := strings.Cut(spec, "#")
	g := &gitURL{}
	if err := g.fragment(fragment); err != nil {
		return nil, err
	}
	if strings.ContainsAny(address, "\x00\r\n") {
		return nil, invalidGit("is not valid")
	}
	if scpForm.MatchString(address) && !strings.Contains(address, "://") {
		g.remote = address
		return g, nil
	}
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, invalidGit("is not valid")
	}
	if err := g.url(u); err != nil {
		return nil, err
	}
	return g, nil
}

func invalidGit(problem string, args ...any) *drydock.Error {
	return drydock.Errorf(drydock.Invalid, "the git URL of the source "+problem, args...).
		WithHint("write https://host/repository.git#ref:folder")
}

// fragment reads ref:subdir.
func (g *gitURL) fragment(text string) error {
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain
	}
	ref, dir, _ := strings.Cut(text, ":")
	if ref != "" && (!refForm.MatchString(ref) || strings.Contains(ref, "..") || strings.Contains(ref, "@{") ||
		strings.HasSuffix(ref, "/") || strings.HasSuffix(ref, ".lock") || strings.Contains(ref, "//")) {
		return invalidGit("has %q as its ref, which can't be one", ref)
	}
	g.ref = ref
	if dir == "" {
		return nil
	}
	if strings.ContainsRune(dir, 0) {
		return invalidGit("has a folder with a zero byte in its name")
	}
	for part := range strings.SplitSeq(dir, "/") {
		if part == ".." {
			return invalidGit("has the folder %q, which leads out of the repository", dir)
		}
	}
	if dir = strings.TrimLeft(path.Clean("/"+dir), "/"); dir != "" {
		g.subdir = dir
	}
	return nil
}

// url reads the URL without its fragment.
func (g *gitURL) url(u *url.URL) error {
	u.Scheme = strings.ToLower(u.Scheme)
	if err := hostInASCII(u); err != nil {
		return err
	}
	switch u.Scheme {
	case "http", "https":
		if u.Host == "" {
			return invalidGit("has no host")
		}
		g.username = u.User.Username()
		g.password, _ = u.User.Password()
		u.User = nil
		g.host, g.origin = u.Host, u.Scheme+"://"+u.Host
	case "ssh", "git":
		if u.Host == "" {
			return invalidGit("has no host")
		}
		if u.User != nil { // ssh takes no password from a URL
			u.User = url.User(u.User.Username())
		}
	case "file":
		if u.Host != "" && u.Host != "localhost" || !path.IsAbs(u.Path) {
			return invalidGit("names no absolute path: write file:///path")
		}
		u.Host, u.User = "", nil
	default:
		return invalidGit("has the scheme %q; known are https, http, ssh, git and file", u.Scheme)
	}
	if strings.ContainsAny(u.Host, "\x00\r\n") || strings.HasPrefix(u.Hostname(), "-") {
		return invalidGit("has a host that can't be one")
	}
	g.remote = u.String()
	if strings.ContainsAny(g.remote, "\x00\r\n") {
		return invalidGit("is not valid")
	}
	return nil
}

// hostInASCII maps the host of a URL: git maps it in some locales alone, and ssh
// never does.
func hostInASCII(u *url.URL) error {
	named := u.Hostname()
	host, err := egress.ASCIIHost(named)
	if err != nil {
		return invalidGit("has a host that can't be one")
	}
	if host != named {
		u.Host = strings.Replace(u.Host, named, host, 1)
	}
	return nil
}

// shown returns the remote for messages, without a query.
func (g *gitURL) shown() string {
	u, err := url.Parse(g.remote)
	if err != nil || u.Scheme == "" {
		return g.remote // user@host:path
	}
	return redacted(u)
}
