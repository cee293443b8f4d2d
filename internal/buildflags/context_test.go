package buildflags_test

import (
	"testing"

	"github.com/drydockhq/drydock/internal/buildflags"
)

func TestContextKind(t *testing.T) {
	t.Parallel()
	for kind, contexts := range map[buildflags.Kind][]string{
		buildflags.Stdin: {"-"},
		buildflags.Local: {
			".", "..", "dir", "./dir", "/dir", "my dir", "dir.git", "./github.com/a/b", "gitlab.com/a/b", "a:b", "dev.azure.com/a/_git/b", "@a:b", "http:/a", "-x", "/dev/null", "file:///a",
			" https://h/r.git",
		},
		buildflags.OCI: {"oci://r.io/a:1", "OCI://r.io/a"},
		buildflags.Git: {
			"https://h/r.git", "http://h/r.git", "HTTPS://h/r.git", "https://h/r.git#main", "https://h/r.git#main:dir", "https://h/r.git#:dir", "https://h/r.git#", "https://u:p@h/r.git",
			"https://h/r.git?ref=main", "git://h/r", "ssh://git@h/r", "git@h:a/b", "git@h:a/b.git#main:dir", "me@h.io:r", "github.com/a/b", "github.com/a/b#main",
			"https://dev.azure.com/o/p/_git/r", "https://dev.azure.com/o/_git/r#main:dir", "https://u@dev.azure.com/o/p/_git/r", "https://u:p@dev.azure.com/o/p/_git/r",
			"https://o.visualstudio.com/p/_git/r", "https://o.visualstudio.com/p/_git/r/#main:.", "https://o.VISUALstuDIo.com/p/_GIT/r",
			"https://tfs.corp.example/tfs/Collection/p/_git/r", "http://tfs:8080/tfs/Collection/My%20Project/_git/r#main:dir", "https://u:p@tfs/c/_git/r/", "https://tfs/c/p/_git/r.web#:dir",
		},
		buildflags.Tarball: {
			"https://h/a.tar.gz", "http://h/a.tgz", "https://h/Dockerfile", "https://h", "https://github.com/a/b", "https://h/r.git/a.tar", "https://h/a.tar#x.git", "https://h/a?x=r.git",
			"http://dev.azure.com/o/_git/r", "https://dev.azure.com/o/_git/r?path=x", "https://tfs/c/p/_git/r?path=/x", "https://tfs/c/p/_git/", "https://tfs/_git", "https://tfs/c/p/_git/r/pullrequest/1", "https://h/a/_git/b.tar.gz", "https://h/a/_git/b.ZIP", "https://短.com", "https://%zz/r.git",
		},
	} {
		for _, context := range contexts {
			if got := buildflags.ContextKind(context); got != kind {
				t.Errorf("ContextKind(%q) = %s, want %s", context, got, kind)
			}
		}
	}
}
