package source_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/source"
)

// history is a repository with branches, a tag, a pull request and folders.
type history struct {
	*repo
	first, second, feature, pull string
}

func newHistory(t *testing.T) history {
	t.Helper()
	h := history{repo: newRepo(t)}
	h.first = h.commit("a.txt", "one")
	h.git("tag", "v1.0")
	h.git("tag", "--annotate", "--message", "x", "annotated")
	h.second = h.commit("app/Dockerfile", "FROM scratch")
	h.git("checkout", "--quiet", "-b", "feature/x")
	h.feature = h.commit("feature.txt", "two")
	h.git("checkout", "--quiet", "--detach", "main")
	h.pull = h.commit("pull.txt", "three")
	h.git("update-ref", "refs/pull/7/head", h.pull)
	h.git("checkout", "--quiet", "main")
	return h
}

func TestGitRefs(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	main := []string{"644 a.txt=one", "755 app/", "644 app/Dockerfile=FROM scratch"}
	for _, base := range []string{h.url(), h.serve("")} {
		for fragment, want := range map[string]struct {
			commit, branch string
			files          []string
		}{
			"":                        {h.second, "main", main},
			"#main":                   {h.second, "main", main},
			"#":                       {h.second, "main", main},
			"#:app":                   {h.second, "main", []string{"644 Dockerfile=FROM scratch"}},
			"#main:/app/":             {h.second, "main", []string{"644 Dockerfile=FROM scratch"}},
			"#feature/x":              {h.feature, "feature/x", append(append([]string{}, main...), "644 feature.txt=two")},
			"#v1.0":                   {h.first, "HEAD", main[:1]},
			"#annotated":              {h.first, "HEAD", main[:1]},
			"#refs/tags/v1.0":         {h.first, "HEAD", main[:1]},
			"#" + h.first:             {h.first, "HEAD", main[:1]},
			"#" + h.first[:9]:         {h.first, "HEAD", main[:1]},
			"#" + h.second + ":app":   {h.second, "HEAD", []string{"644 Dockerfile=FROM scratch"}},
			"#pull/7/head":            {h.pull, "HEAD", append(append([]string{}, main...), "644 pull.txt=three")},
			"#refs/pull/7/head":       {h.pull, "HEAD", append(append([]string{}, main...), "644 pull.txt=three")},
			"#refs/heads/feature%2Fx": {h.feature, "feature/x", append(append([]string{}, main...), "644 feature.txt=two")},
		} {
			f := newFetcher(t)
			got := f.fetch(base + fragment)
			if got.Commit != want.commit || got.Branch != want.branch {
				t.Errorf("%s%s: commit %s of %s, want %s of %s", base, fragment, got.Commit, got.Branch, want.commit, want.branch)
			}
			if diff := cmp.Diff(want.files, tree(t, got.Dir)); diff != "" {
				t.Errorf("%s%s (-want +got):\n%s", base, fragment, diff)
			}
		}
	}
}

// A pinned source is the commit, wherever its branch is by now.
func TestGitPinned(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	first := r.commit("a", "1")
	r.git("checkout", "--quiet", "-b", "side")
	second := r.commit("b/c", "2")
	r.git("checkout", "--quiet", "main")
	r.git("branch", "--quiet", "-D", "side")
	r.git("config", "uploadpack.allowAnySHA1InWant", "true")
	third := r.commit("a", "3")
	for spec, want := range map[string]struct {
		pin   drydock.SourcePin
		files []string
	}{
		r.url():               {drydock.SourcePin{Commit: first, Branch: "main"}, []string{"644 a=1"}},
		r.url() + "#main":     {drydock.SourcePin{Commit: first, Branch: "main"}, []string{"644 a=1"}},
		r.url() + "#side:b":   {drydock.SourcePin{Commit: second, Branch: "side"}, []string{"644 c=2"}},
		r.url() + "#" + third: {drydock.SourcePin{Commit: third, Branch: "HEAD"}, []string{"644 a=3"}},
	} {
		f := newFetcher(t)
		f.Pin = want.pin
		got := f.fetch(spec)
		if got.Commit != want.pin.Commit || got.Branch != want.pin.Branch {
			t.Errorf("%s: commit %s of %s, want %+v", spec, got.Commit, got.Branch, want.pin)
		}
		if diff := cmp.Diff(want.files, tree(t, got.Dir)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", spec, diff)
		}
	}
	f := newFetcher(t)
	f.Pin.Commit = strings.Repeat("0c", 20)
	f.refused(r.url(), f.Pin.Commit)
}

// What a step sees is a repository, shallow, on its branch.
func TestGitWorkTree(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	got := newFetcher(t).fetch(h.url())
	clone := &repo{t, got.Dir}
	if n := clone.git("rev-list", "--count", "HEAD"); n != "1" {
		t.Errorf("%s commits were fetched", n)
	}
	if branch := clone.git("rev-parse", "--abbrev-ref", "HEAD"); branch != "main" {
		t.Errorf("on branch %s", branch)
	}
	if status := clone.git("status", "--porcelain"); status != "" {
		t.Errorf("status:\n%s", status)
	}
}

// A server that speaks the dumb protocol can't send less than all.
func TestGitDumbHTTP(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.git("update-server-info")
	server := httptest.NewServer(http.StripPrefix("/x.git", http.FileServer(http.Dir(h.dir+"/.git"))))
	t.Cleanup(server.Close)
	for fragment, want := range map[string]string{"#main": h.second, "#" + h.first: h.first, "#v1.0": h.first} {
		if got := newFetcher(t).fetch(server.URL + "/x.git" + fragment); got.Commit != want {
			t.Errorf("%s: commit %s, want %s", fragment, got.Commit, want)
		}
	}
}

func TestGitUnknownRef(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	f := newFetcher(t)
	e := f.refused(h.url()+"#mian", `has no branch, tag or commit "mian"`)
	if e.Code != drydock.Invalid || !strings.HasPrefix(e.Hint, "it has main,") {
		t.Errorf("%+v", e)
	}
	f.refused(h.url()+"#feature", `it has feature/x`)
	f.refused(h.url()+"#0123456789012345678901234567890123456789", "has no branch, tag or commit")
	f.refused(h.url()+"#abcdef1", "has no branch, tag or commit")
	f.refused(h.url()+"#main:none", `has no folder "none" at main`)
	f.refused(h.url()+"#:a.txt", "is a file, not a folder")
	f.refused(newRepo(t).url(), "has no commits on its default branch")
	if e := f.refused("file:///no/such/repo", "does not appear to be a git repository"); e.Code != drydock.Invalid {
		t.Errorf("%+v", e)
	}
}

func TestGitSubdirLeadsOut(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	if err := os.Symlink("/etc", filepath.Join(r.dir, "out")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("app", filepath.Join(r.dir, "in")); err != nil {
		t.Fatal(err)
	}
	r.commit("app/x", "x")
	f := newFetcher(t)
	f.refused(r.url()+"#:out", `the folder "out" of`)
	f.refused(r.url()+"#:../x", "leads out of the repository")
	if got := f.fetch(r.url() + "#:in"); filepath.Base(got.Dir) != "app" {
		t.Errorf("got %s", got.Dir)
	}
}

func TestGitCredentials(t *testing.T) {
	t.Parallel()
	const token = "t0ken:with/sp3cials@"
	h := newHistory(t)
	address := h.serve(token)
	f := newFetcher(t)
	if e := f.refused(address, "asking "+address); e.Code != drydock.Denied || e.Hint == "" {
		t.Errorf("%+v", e)
	}
	host := strings.TrimPrefix(address, "http://")
	for _, userinfo := range []string{"t0ken%3Awith%2Fsp3cials%40", "some%24one%40x:t0ken%3Awith%2Fsp3cials%40"} {
		if got := f.fetch("http://" + userinfo + "@" + host); got.Commit != h.second {
			t.Errorf("commit %s", got.Commit)
		}
	}
	f.Token = func(_ context.Context, host string) (string, string, error) {
		if !strings.Contains(address, host) {
			return "", "", errors.New("asked for " + host)
		}
		return "", token, nil
	}
	got := f.fetch(address)
	err := filepath.WalkDir(filepath.Dir(got.Dir), func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), "t0ken") {
			t.Errorf("%s holds the token", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"http://wr0ng:s3cret@" + host, "http://s3cret@" + host} {
		f.Token = nil
		e := f.refused(bad, "asking "+address)
		if e.Code != drydock.Denied || strings.Contains(e.Error(), "s3cret") {
			t.Errorf("%+v", e)
		}
	}
	if f.logged("t0ken") || f.logged("s3cret") {
		t.Errorf("the log holds a secret: %q", f.log)
	}
}

// Credentials are for the host that they were given for, and for no other that
// it sends git to.
func TestGitCredentialsStayWithTheirHost(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 100)
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		asked <- q.Header.Get("Authorization")
		w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
		http.Error(w, "who are you", http.StatusUnauthorized)
	}))
	t.Cleanup(thief.Close)
	redirect := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		http.Redirect(w, q, thief.URL+q.URL.RequestURI(), http.StatusMovedPermanently)
	}))
	t.Cleanup(redirect.Close)
	withSubmodule := newRepo(t)
	write(t, filepath.Join(withSubmodule.dir, ".gitmodules"), []byte("[submodule \"x\"]\n\tpath = x\n\turl = "+thief.URL+"/x.git\n"))
	head := withSubmodule.commit("a", "x")
	withSubmodule.git("update-index", "--add", "--cacheinfo", "160000,"+head+",x")
	withSubmodule.git("commit", "--quiet", "--message", "submodule")
	f := newFetcher(t)
	f.refused(strings.Replace(redirect.URL, "http://", "http://user:s3cret@", 1)+"/x.git", "could not read")
	f.refused(strings.Replace(withSubmodule.serve("s3cret"), "http://", "http://user:s3cret@", 1), "fetching the submodules")
	close(asked)
	n := 0
	for header := range asked {
		n++
		if header != "" {
			t.Errorf("the other host was sent %q", header)
		}
	}
	if n < 2 {
		t.Errorf("the other host was asked %d times", n)
	}
}

func TestGitSubmodules(t *testing.T) {
	t.Parallel()
	inner, middle, outer := newRepo(t), newRepo(t), newRepo(t)
	inner.commit("inner.txt", "x")
	middle.commit("middle.txt", "x")
	middle.git("submodule", "--quiet", "add", inner.url(), "inner")
	middle.commit("more.txt", "x")
	outer.git("submodule", "--quiet", "add", middle.url(), "lib/middle")
	outer.commit("outer.txt", "x")
	middle.commit("later.txt", "x") // the submodule stays where it is pinned
	got := newFetcher(t).fetch(outer.url())
	text := strings.Join(tree(t, got.Dir), "\n")
	for _, want := range []string{"outer.txt=x", "lib/middle/middle.txt=x", "lib/middle/more.txt=x", "lib/middle/inner/inner.txt=x"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
	if strings.Contains(text, "later.txt") {
		t.Errorf("the submodule is at another commit:\n%s", text)
	}
	// Over the network, a submodule can't read repositories of this machine.
	e := newFetcher(t).refused(outer.serve(""), "fetching the submodules of")
	if e.Code != drydock.Denied || !strings.Contains(e.Error(), "transport 'file' not allowed") {
		t.Errorf("%+v", e)
	}
}

func TestGitLargeFiles(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	write(t, filepath.Join(r.dir, ".gitattributes"), []byte("*.bin filter=lfs -text\n"))
	r.commit("a.bin", "version https://git-lfs.github.com/spec/v1\n")
	f := newFetcher(t)
	f.Env = []string{"PATH=" + onlyGit(t)}
	f.fetch(r.url())
	if !f.logged("WARNING: 1 files are kept in Git LFS and git-lfs is not installed") {
		t.Errorf("logged %q", f.log)
	}
	bin := t.TempDir()
	script := write(t, filepath.Join(bin, "git-lfs"), []byte("#!/bin/sh\necho \"$@\" > pulled\n"))
	if err := os.Chmod(script, 0o755); err != nil {
		t.Fatal(err)
	}
	f = newFetcher(t)
	f.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH")}
	got := f.fetch(r.url())
	if data, _ := os.ReadFile(filepath.Join(got.Dir, "pulled")); string(data) != "pull\n" || f.logged("WARNING") {
		t.Errorf("git-lfs was called with %q", data)
	}
}

// Neither the user's configuration nor hooks have a say.
func TestGitEnvironment(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	home := t.TempDir()
	write(t, filepath.Join(home, ".gitconfig"), []byte("[url \"file:///nonexistent\"]\n\tinsteadOf = file:///\n"))
	f := newFetcher(t)
	f.Env = append(f.Env, "HOME="+home, "GIT_DIR=/nonexistent", "GIT_CONFIG_GLOBAL="+home+"/.gitconfig")
	f.fetch(h.url())
	f.Env = nil
	if e := f.refused(h.url(), "git is not installed"); e.Code != drydock.Unavailable {
		t.Errorf("%+v", e)
	}
}

// The program that stands for ssh runs the command here.
func TestGitOverSSH(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	script := write(t, filepath.Join(t.TempDir(), "ssh"), []byte("#!/bin/sh\nfor last; do :; done\nexec sh -c \"$last\"\n"))
	if err := os.Chmod(script, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, spec := range []string{"git@example.test:" + h.dir + "#v1.0", "ssh://git@example.test:22" + h.dir + "#v1.0"} {
		f := newFetcher(t)
		f.Env = append(f.Env, "GIT_SSH_COMMAND="+script)
		if got := f.fetch(spec); got.Commit != h.first {
			t.Errorf("%s: commit %s", spec, got.Commit)
		}
	}
}

func TestGitIsCancelled(t *testing.T) {
	t.Parallel()
	cause := errors.New("stopped by a test")
	ctx, cancel := context.WithCancelCause(t.Context())
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		cancel(cause)
		<-release
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	f := newFetcher(t)
	if _, err := f.Fetch(ctx, server.URL+"/x.git"); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
	f.empty()
}

func TestGitURLRefused(t *testing.T) {
	t.Parallel()
	f := newFetcher(t)
	for spec, want := range map[string]string{
		"https://h/x.git#--upload-pack=x":  "as its ref, which can't be one",
		"https://h/x.git#a..b":             "can't be one",
		"https://h/x.git#a%20b":            "can't be one",
		"https://h/x.git#a^":               "can't be one",
		"https://h/x.git#:a/../../b":       "leads out of the repository",
		"ssh://-oProxyCommand=x/y.git":     "a host that can't be one",
		"file://other/host.git":            "names no absolute path",
		"https://user:s3cret@/x.git":       "has no host",
		"https://user:s3cret@h:port/x.git": "valid",
	} {
		if e := f.refused(spec, want); strings.Contains(e.Error(), "s3cret") {
			t.Errorf("%s: the error holds the password: %v", spec, e)
		}
	}
}

func FuzzGitURL(f *testing.F) {
	for _, spec := range []string{
		"https://github.com/o/r.git#main:dir", "git@github.com:o/r.git#v1", "ssh://git@h:22/r", "github.com/o/r", "file:///tmp/r.git#:x",
		"https://u:s3cret@dev.azure.com/o/p/_git/r#refs/pull/1/merge", "https://h/#%2d", "http://[::1]:80/x.git#a/../b:c/../..",
	} {
		f.Add(spec)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		source.CheckGitURL(t, spec)
	})
}

// A submodule that can't be fetched shallow is fetched whole.
func TestGitSubmoduleDumbHTTP(t *testing.T) {
	t.Parallel()
	inner, outer := newHistory(t), newRepo(t)
	inner.git("update-server-info")
	server := httptest.NewServer(http.StripPrefix("/x.git", http.FileServer(http.Dir(inner.dir+"/.git"))))
	t.Cleanup(server.Close)
	write(t, filepath.Join(outer.dir, ".gitmodules"), []byte("[submodule \"x\"]\n\tpath = x\n\turl = "+server.URL+"/x.git\n"))
	outer.commit("a.txt", "x")
	outer.git("update-index", "--add", "--cacheinfo", "160000,"+inner.first+",x")
	outer.git("commit", "--quiet", "--message", "submodule")
	got := newFetcher(t).fetch(outer.url())
	if diff := cmp.Diff([]string{"644 a.txt=x", "755 x/", "644 x/a.txt=one"}, tree(t, got.Dir)[1:]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
