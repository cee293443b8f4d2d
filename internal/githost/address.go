package githost

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/drydockhq/drydock"
)

// address is where a repository is.
type address struct {
	scheme string // http or https: that of the API
	host   string // with its port if any
	path   []string
}

// scpForm is user@host:path, the other way to write ssh.
var scpForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*@([A-Za-z0-9][A-Za-z0-9.-]*):(.+)$`)

// sshHosts are hosts whose names for ssh are others than those for HTTPS.
var sshHosts = map[string]string{
	"ssh.dev.azure.com": "dev.azure.com", "ssh.github.com": "github.com", "altssh.gitlab.com": "gitlab.com",
}

// parseAddress reads the URL of a repository. The API of a host is assumed where
// HTTPS is, for repositories that are reached by ssh too. Without a host, false
// is returned.
func parseAddress(repository string) (address, bool) {
	repository, _, _ = strings.Cut(repository, "#")
	if m := scpForm.FindStringSubmatch(repository); m != nil && !strings.Contains(repository, "://") {
		return newAddress("https", m[1], m[2])
	}
	if !strings.Contains(repository, "://") {
		repository = "https://" + repository
	}
	u, err := url.Parse(repository)
	if err != nil || u.Host == "" {
		return address{}, false
	}
	switch scheme := strings.ToLower(u.Scheme); scheme {
	case "http", "https":
		return newAddress(scheme, u.Host, u.EscapedPath())
	case "ssh", "git":
		return newAddress("https", u.Hostname(), u.EscapedPath())
	}
	return address{}, false
}

func newAddress(scheme, host, path string) (address, bool) {
	a := address{scheme: scheme, host: strings.ToLower(host)}
	if name, ok := sshHosts[a.host]; ok {
		a.host = name
	}
	path = strings.TrimSuffix(strings.Trim(path, "/"), ".git")
	for part := range strings.SplitSeq(path, "/") {
		name, err := url.PathUnescape(part)
		if err != nil || name == "" || name == "." || name == ".." {
			return address{}, false
		}
		a.path = append(a.path, name)
	}
	return a, true
}

// SameRepository reports that two URLs, with or without #ref:folder, are of one
// repository.
func SameRepository(one, two string) bool {
	a, okA := parseAddress(one)
	b, okB := parseAddress(two)
	if !okA || !okB {
		one, _, _ = strings.Cut(one, "#")
		two, _, _ = strings.Cut(two, "#")
		return one == two
	}
	return a.host == b.host && strings.EqualFold(strings.Join(a.path, "/"), strings.Join(b.path, "/"))
}

// root returns the URL of the host, and of the first n parts of the path.
func (a address) root(n int) string {
	return a.scheme + "://" + a.host + joined(a.path[:n])
}

// joined returns path parts, each with a slash before it.
func joined(parts []string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}

func notARepository(kind Kind, form string) error {
	return drydock.Errorf(drydock.Invalid, "the URL names no repository of %s", kind).WithHint("write %s", form)
}

// HostName returns the host of a repository, without its port; empty for none.
func HostName(repository string) string {
	a, ok := parseAddress(repository)
	if !ok {
		return ""
	}
	return (&url.URL{Host: a.host}).Hostname()
}
