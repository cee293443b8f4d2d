package buildkit_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/registry"
)

// gitServer serves a repository with the files of txtar archives, one a commit,
// over HTTP. Its default branch is "trunk"; the first commit has the tag "first".
func gitServer(t *testing.T, commits ...string) (url string, git func(args ...string) string) {
	t.Helper()
	dir := t.TempDir()
	work := filepath.Join(dir, "work")
	git = func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", work, "-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	if err := os.Mkdir(work, 0o755); err != nil {
		t.Fatal(err)
	}
	git("init", "-q", "-b", "trunk")
	for i, files := range commits {
		writeFiles(t, work, files)
		git("add", "-A")
		git("commit", "-q", "-m", "commit")
		if i == 0 {
			git("tag", "first")
		}
	}
	git("clone", "-q", "--bare", work, filepath.Join(dir, "repo.git"))
	path := strings.TrimSpace(git("--exec-path"))
	server := httptest.NewServer(&cgi.Handler{
		Path: filepath.Join(path, "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"},
	})
	t.Cleanup(server.Close)
	return server.URL + "/repo.git", git
}

func TestGitContext(t *testing.T) {
	t.Parallel()
	base := newRegistry(t, registry.Options{}, "busybox").Host + "/busybox"
	url, git := gitServer(t, `
-- Dockerfile --
FROM `+base+`
COPY version /version
-- version --
first
-- sub/Dockerfile --
FROM `+base+`
COPY file /file
-- sub/Other file --
FROM `+base+`
COPY file /other
-- sub/file --
in a folder
`, `
-- version --
second
`)
	r := openRun(t, newExecutor(t, buildkit.Config{}), "", func(s *engine.RunSpec) { s.Commit = "of the source" })
	head := git("rev-parse", "HEAD")
	for _, test := range []struct {
		context, file, want string
		flags               []string
	}{
		{url, "/version", "second\n", nil},
		{url + "#trunk", "/version", "second\n", nil},
		{url + "#first", "/version", "first\n", nil},
		{url + "#refs/tags/first", "/version", "first\n", nil},
		{url + "#" + head, "/version", "second\n", nil},
		{url + "#:sub", "/file", "in a folder\n", nil},
		{url + "#first:sub", "/file", "in a folder\n", nil},
		{url + "#first:sub", "/other", "in a folder\n", []string{"-f", "Other file"}},
	} {
		r.build(append(test.flags, "-t", "git", test.context)...)
		wantEqual(t, test.context, r.run("git", "cat "+test.file), test.want)
	}
	deps := r.Dependencies()
	wantEqual(t, "revision of the default branch", deps[0].Git.HeadRevision, head)
	wantEqual(t, "revision of a tag", deps[2].Git.HeadRevision, git("rev-parse", "first"))
	wantEqual(t, "base", deps[0].Runtime.Reference, base+":latest")
	wantError(t, r.buildError("https://u:hidden@dev.azure.com/org/project/_git/repo"), drydock.Invalid, "https://u:xxxxx@dev.azure.com", "source of the run")
	wantError(t, r.buildError("oci://registry.example/context"), drydock.Invalid, "not supported in a build step")
	wantError(t, r.buildError(url+"#nowhere"), drydock.Failed, "nowhere")
	wantError(t, r.buildError(strings.Replace(url, "repo", "missing", 1)), drydock.Failed, "missing.git")
}

func TestTarballContext(t *testing.T) {
	t.Parallel()
	base := newRegistry(t, registry.Options{}, "busybox").Host + "/busybox"
	files := `
-- Dockerfile --
FROM ` + base + `
COPY file /file
-- other --
FROM ` + base + `
COPY file /other
-- file --
content
`
	plain := tarOf(t, files)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	dockerfile := "FROM " + base + "\nRUN echo alone > /file\n"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, ok := map[string][]byte{"/plain.tar": plain, "/packed.tar.gz": packed.Bytes(), "/Dockerfile": []byte(dockerfile)}[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}))
	t.Cleanup(server.Close)
	r := openRun(t, newExecutor(t, buildkit.Config{}), files)

	r.build("-t", "plain", server.URL+"/plain.tar")
	wantEqual(t, "/file", r.run("plain", "cat /file"), "content\n")
	r.build("-t", "packed", "-f", "other", server.URL+"/packed.tar.gz")
	wantEqual(t, "/other", r.run("packed", "cat /other"), "content\n")
	r.build("-t", "alone", server.URL+"/Dockerfile")
	wantEqual(t, "/file", r.run("alone", "cat /file"), "alone\n")
	wantError(t, r.buildError(server.URL+"/missing.tar"), drydock.Failed, "missing.tar", "404")

	for name, test := range map[string]struct {
		stdin []byte
		args  []string
		file  string
		want  string
	}{
		"tar":                 {plain, []string{"-"}, "/file", "content\n"},
		"tar.gz":              {packed.Bytes(), []string{"-"}, "/file", "content\n"},
		"tar, other":          {plain, []string{"-f", "other", "-"}, "/other", "content\n"},
		"Dockerfile":          {[]byte(dockerfile), []string{"-"}, "/file", "alone\n"},
		"Dockerfile, context": {[]byte("FROM " + base + "\nCOPY file /copied\n"), []string{"-f", "-", "."}, "/copied", "content\n"},
	} {
		if out, err := r.try(t.Context(), bytes.NewReader(test.stdin), append([]string{"-t", "stdin"}, test.args...)...); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
			continue
		}
		wantEqual(t, name, r.run("stdin", "cat "+test.file), test.want)
	}
	wantError(t, r.buildError("-"), drydock.Invalid, "standard input")
	wantError(t, r.buildError("-f", "-", "."), drydock.Invalid, "standard input")
}

func TestFolderContext(t *testing.T) {
	t.Parallel()
	base := newRegistry(t, registry.Options{}, "busybox").Host + "/busybox"
	e := newExecutor(t, buildkit.Config{})
	then := time.Unix(1e9, 0)
	files := `
-- a/Dockerfile --
FROM ` + base + `
COPY . /all
-- a/version --
1
-- a/ignored/file --
-- a/kept.log --
-- a/other.log --
-- a/.dockerignore --
ignored
*.log
!kept.log
-- b/Dockerfile --
FROM ` + base + `
COPY . /all
-- b/version --
2
-- files/My Dockerfile --
FROM ` + base + `
COPY . /all
-- files/My Dockerfile.dockerignore --
*
!version
`
	r := openRun(t, e, files, func(s *engine.RunSpec) {
		// As a source that came in an archive without times has them.
		for _, name := range []string{"a/version", "b/version", "a/Dockerfile", "b/Dockerfile"} {
			if err := os.Chtimes(filepath.Join(s.Source, name), then, then); err != nil {
				t.Fatal(err)
			}
		}
		for _, link := range []string{"out", "a/link"} {
			if err := os.Symlink("/etc", filepath.Join(s.Source, link)); err != nil {
				t.Fatal(err)
			}
		}
	})
	r.build("-t", "a", "a")
	wantEqual(t, "files", r.run("a", "cd /all; ls; cat version; readlink link"), "Dockerfile\nkept.log\nlink\nversion\n1\n/etc\n")
	r.build("-t", "b", "b")
	wantEqual(t, "files of the same size and time in another context", r.run("b", "cat /all/version"), "2\n")
	r.build("-t", "c", "-f", "files/My Dockerfile", "/workspace/a")
	wantEqual(t, "files with a .dockerignore of the Dockerfile", r.run("c", "ls /all"), "version\n")
	r.dir = "/workspace/files"
	r.build("-t", "d", "-f", "My Dockerfile", "../b")
	wantEqual(t, "files of a context beside the working directory", r.run("d", "cat /all/version"), "2\n")
	r.dir = "/workspace"

	r.run(base, "echo 3 > b/version; mkdir made; echo FROM "+base+" > made/Dockerfile")
	r.build("-t", "b", "b")
	wantEqual(t, "a file that a step changed", r.run("b", "cat /all/version"), "3\n")
	r.build("made")
	for _, context := range []string{"..", "/etc", "out", "a/link", "b/../../etc", "a/Dockerfile"} {
		wantError(t, r.buildError(context), drydock.Invalid, context)
	}
	wantError(t, r.buildError("-f", "out/passwd", "b"), drydock.Invalid, "out")
	wantError(t, r.buildError("-f", "../../etc/passwd", "b"), drydock.Invalid, "outside the workspace")
}

func TestVolumesOfBuilds(t *testing.T) {
	t.Parallel()
	base := newRegistry(t, registry.Options{}, "busybox").Host + "/busybox"
	r := openRun(t, newExecutor(t, buildkit.Config{}), "-- context/file --\ncontent\n", func(s *engine.RunSpec) {
		s.Volumes = []drydock.Volume{{Name: "vol", Files: map[string][]byte{
			"My Dockerfile": []byte("FROM " + base + "\nCOPY file /file\nRUN --mount=type=secret,id=s cat /run/secrets/s > /secret\n"),
			"token":         []byte("from a volume"),
		}}}
	})
	r.mounts = []drydock.VolumeMount{{Name: "vol", MountPath: "/run/vol"}}
	r.build("-t", "volumes", "-f", "/run/vol/My Dockerfile", "--secret", "id=s,src=/run/vol/token", "context")
	wantEqual(t, "files", r.run("volumes", "cat /file /secret"), "content\nfrom a volume")
	wantError(t, r.buildError("-f", "/run/vol/../../etc/passwd", "context"), drydock.Invalid, "outside the workspace")
	wantError(t, r.buildError("-f", "/run/vol/nowhere", "context"), drydock.Failed, "nowhere")
}

// Clients of ACR send the Dockerfile as one more file of the folder, under another
// name each time. It is no part of the context.
func TestSentDockerfile(t *testing.T) {
	t.Parallel()
	base := newRegistry(t, registry.Options{}, "busybox").Host + "/busybox"
	e := newExecutor(t, buildkit.Config{})
	dockerfile := "FROM " + base + "\nCOPY . /all\nRUN " + ran + "\nRUN ls /all > /list\n"
	for i, sent := range []string{"00112233445566778899aabbccddeeff_Dockerfile", "ffeeddccbbaa99887766554433221100_Dockerfile"} {
		r := openRun(t, e, "-- "+sent+" --\n"+dockerfile+"-- "+sent+".dockerignore --\nsecret\n-- .dockerignore --\nfile\n-- file --\ncontent\n-- secret --\n")
		log := r.build("-t", "built", "-f", sent, ".")
		if got := strings.Count(log, executed); got != 1-i || strings.Contains(log, sent) {
			t.Errorf("build %d executed %d RUNs:\n%s", i, got, log)
		}
		wantEqual(t, "context with "+sent, r.run("built", "cat /list"), "file\n")
		r.close()
	}
}

// The repository is no part of a context from git: two checkouts of one commit are
// the same to a build.
func TestContextFromGit(t *testing.T) {
	t.Parallel()
	base := newRegistry(t, registry.Options{}, "busybox").Host + "/busybox"
	e := newExecutor(t, buildkit.Config{})
	files := "-- Dockerfile --\nFROM " + base + "\nCOPY . /all\nRUN " + ran + "\n-- Other --\nFROM " + base + "\nCOPY --from=more . /all\n" +
		"-- Needs --\nFROM " + base + "\nCOPY .git /git\n-- module/.git --\ngitdir: ../.git/modules/module\n-- module/file --\n-- .git/index --\n"
	checkout := func(s *engine.RunSpec) { s.Checkout = true }
	list := func(r *testRun, image string) string {
		return r.run(image, "cd /all && find . -type f ! -name '[DON]*' | sort | tr '\n' ' '")
	}
	for i, index := range []string{"one", "two"} {
		r := openRun(t, e, files+index, checkout)
		if got := r.counted("-t", "built", "."); got != 1-i {
			t.Errorf("build %d executed %d RUNs", i, got)
		}
		wantEqual(t, "the context", list(r, "built"), "./module/file ")
		r.build("-t", "other", "-f", "Other", "--build-context", "more=.", ".")
		wantEqual(t, "the named context", list(r, "other"), "./module/file ")
		wantEqual(t, "the workspace", r.run(base, "cat .git/index"), index+"\n")
		wantError(t, r.buildError("-f", "Needs", "."), drydock.Failed, "BUILDKIT_CONTEXT_KEEP_GIT_DIR=1")
		r.build("-t", "needs", "-f", "Needs", "--build-arg", "BUILDKIT_CONTEXT_KEEP_GIT_DIR=1", ".")
		wantEqual(t, "the repository", r.run("needs", "cat /git/index"), index+"\n")
		// What a step made is part of its context.
		r.run(base, "mkdir -p made/.git; cp Dockerfile made; echo head > made/.git/HEAD")
		r.build("-t", "made", "made")
		wantEqual(t, "what a step made", list(r, "made"), "./.git/HEAD ")
		r.close()
	}
	r := openRun(t, e, files+"one")
	r.build("-t", "built", ".")
	wantEqual(t, "a folder that was not checked out", list(r, "built"), "./.git/index ./module/.git ./module/file ")
}
