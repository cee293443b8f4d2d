package source_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/source"
)

func TestRefs(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	for _, base := range []string{h.url(), h.serve("") + "#main:folder"} {
		for patterns, want := range map[string]map[string]string{
			"":                    {},
			"HEAD":                {},
			"refs/heads/main":     {},
			"refs/heads/none":     {},
			"refs/heads/*":        {"refs/heads/feature/x": h.feature},
			"refs/heads/feature*": {"refs/heads/feature/x": h.feature},
			"refs/tags/annotated": {"refs/tags/annotated": h.first},
			"refs/tags/*":         {"refs/tags/annotated": h.first, "refs/tags/v1.0": h.first},
			"refs/pull/7/head":    {"refs/pull/7/head": h.pull},
		} {
			f := newFetcher(t)
			want["refs/heads/main"] = h.second
			got, err := f.Refs(t.Context(), base, strings.Fields(patterns)...)
			if diff := cmp.Diff(source.Refs{Commits: want, Default: "refs/heads/main"}, got); diff != "" || err != nil {
				t.Errorf("%s %s: %v (-want +got):\n%s", base, patterns, err, diff)
			}
			f.empty()
		}
	}
	f := newFetcher(t)
	if got, err := f.Refs(t.Context(), newRepo(t).url(), "refs/heads/*"); err != nil || got.Default != "" || len(got.Commits) > 0 {
		t.Errorf("an empty repository has %+v, %v", got, err)
	}
	_, err := f.Refs(t.Context(), "file:///no/such/repo")
	if drydock.CodeOf(err) != drydock.Invalid {
		t.Error(err)
	}
	f.empty()
}

func TestChanged(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	one := r.commit("a.txt", "1")
	r.commit("dir/ü b.txt", "2")
	r.git("rm", "--quiet", "a.txt")
	three := r.commit("c.txt", "1") // git would call that a rename
	for _, base := range []string{r.url(), r.serve("")} {
		f := newFetcher(t)
		got, err := f.Changed(t.Context(), base+"#main", one, three)
		slices.Sort(got)
		if diff := cmp.Diff([]string{"a.txt", "c.txt", "dir/ü b.txt"}, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if got, err := f.Changed(t.Context(), base, one, one); len(got) > 0 || err != nil {
			t.Errorf("nothing changed and %v, %v", got, err)
		}
		if _, err := f.Changed(t.Context(), base, strings.Repeat("1", 40), three); err == nil {
			t.Error("a commit that is not there")
		}
		if _, err := f.Changed(t.Context(), base, "--output=x", three); drydock.CodeOf(err) != drydock.Invalid {
			t.Error(err)
		}
		f.empty()
	}
}

// A commit of a pull request is found where the server gives no single ones.
func TestGitCommitOfARef(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.git("checkout", "--quiet", "--detach", h.pull)
	h.git("update-ref", "refs/pull/7/head", h.commit("later.txt", "x"))
	handler := h.handler()
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		q.Header.Del("Git-Protocol") // in its first version only the tips of refs can be asked for
		handler.ServeHTTP(w, q)
	}))
	t.Cleanup(old.Close)
	address := old.URL + "/" + filepath.Base(h.dir) + "#"
	f := newFetcher(t)
	f.refused(address+h.pull, "has no branch, tag or commit")
	f.Ref = "--upload-pack=x"
	f.refused(address+h.pull, "can't be a ref")
	f.Ref = "refs/pull/7/head"
	if got := f.fetch(address + h.pull); got.Commit != h.pull {
		t.Errorf("commit %s", got.Commit)
	}
	f.Ref = "refs/pull/8/head" // is gone, and the commit is in a branch
	if got := f.fetch(address + h.first); got.Commit != h.first {
		t.Errorf("commit %s", got.Commit)
	}
}

// A stranger's pull request must not get what the token could read elsewhere.
func TestUntrustedSubmodules(t *testing.T) {
	t.Parallel()
	private, pull := newRepo(t), newRepo(t)
	head := private.commit("secret.txt", "x")
	const token = "s3cret-t0ken"
	address := private.serve(token)
	host := strings.TrimSuffix(address, "/"+filepath.Base(private.dir))
	write(t, filepath.Join(pull.dir, ".gitmodules"), []byte("[submodule \"x\"]\n\tpath = x\n\turl = "+address+"\n"))
	pull.commit("a", "x")
	pull.git("update-index", "--add", "--cacheinfo", "160000,"+head+",x")
	pull.git("commit", "--quiet", "--message", "submodule")
	// Both are on one host.
	pull.git("clone", "--quiet", "--bare", pull.dir, filepath.Join(filepath.Dir(private.dir), "pull.git"))
	spec := strings.Replace(host, "http://", "http://user:"+token+"@", 1) + "/pull.git"
	f := newFetcher(t)
	if text := strings.Join(tree(t, f.fetch(spec).Dir), "\n"); !strings.Contains(text, "x/secret.txt=x") {
		t.Fatalf("the token does not read the submodule:\n%s", text)
	}
	f.Untrusted = true
	if e := f.refused(spec, "fetching the submodules"); e.Code != drydock.Denied {
		t.Errorf("%+v", e)
	}
}
