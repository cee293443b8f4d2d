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
// for git is git, and so are the URLs of Azure Repos, of which acb adds those of
// Azure's own hosts.
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

// archive is what the names of tarballs end with.
var archive = regexp.MustCompile(`(?i)\.(tar|tgz|tar\.[a-z0-9]+|zip)$`)

// isAzureRepos reports whether u is a repository of Azure Repos: at dev.azure.com
// or, as its hosts were named before, at NAME.visualstudio.com; or at an Azure
// DevOps Server, whose host has any name and whose path ends with _git/NAME.
// Clients take these last ones for tarballs, and pass them on as they are.
func isAzureRepos(u *url.URL) bool {
	if u.RawQuery != "" {
		return false
	}
	path := strings.ToLower(u.Path)
	host := strings.ToLower(u.Hostname())
	if host == "dev.azure.com" || strings.HasSuffix(host, ".visualstudio.com") {
		return u.Scheme == "https" && strings.Contains(path, "/_git/")
	}
	_, name, found := strings.Cut(path, "/_git/")
	name = strings.TrimSuffix(name, "/")
	return found && name != "" && !strings.Contains(name, "/") && !archive.MatchString(name)
}
