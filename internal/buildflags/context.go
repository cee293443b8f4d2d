package buildflags

import (
	"net/url"
	"regexp"
	"strings"
)

// Kind is where a build context comes from.
type Kind string

// The kinds of context.
const (
	Local   Kind = "local"   // a folder, relative to the working directory
	Git     Kind = "git"     // a repository, with an optional #ref:folder
	Tarball Kind = "tarball" // http:// or https://: an archive, or a Dockerfile alone
	Stdin   Kind = "stdin"   // "-"
	OCI     Kind = "oci"     // oci://: an artifact in a registry
)

// ContextKind says what a context is, by its form alone: a caller that has a
// folder of that very name may prefer it, as docker does. What BuildKit takes
// for git is git, and so are the URLs of Azure Repos, which acb adds.
func ContextKind(context string) Kind {
	lower := strings.ToLower(context)
	switch {
	case context == "-":
		return Stdin
	case strings.HasPrefix(lower, "oci://"):
		return OCI
	case strings.HasPrefix(lower, "git://"), strings.HasPrefix(lower, "ssh://"),
		strings.HasPrefix(context, "github.com/"), isSCP(context):
		return Git
	case !strings.HasPrefix(lower, "http://") && !strings.HasPrefix(lower, "https://"):
		return Local
	}
	u, err := url.Parse(context)
	if err == nil && (strings.HasSuffix(u.Path, ".git") || isAzureRepos(u)) {
		return Git
	}
	return Tarball
}

// isSCP reports whether s is user@host:path.
func isSCP(s string) bool {
	return regexp.MustCompile(`^[A-Za-z0-9_-]+@[A-Za-z0-9.-]+:`).MatchString(s)
}

// isAzureRepos reports whether u is a repository at dev.azure.com or, as its
// hosts were named before, at NAME.visualstudio.com.
func isAzureRepos(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	return u.Scheme == "https" && u.RawQuery == "" &&
		(host == "dev.azure.com" || strings.HasSuffix(host, ".visualstudio.com")) &&
		strings.Contains(strings.ToLower(u.Path), "/_git/")
}
