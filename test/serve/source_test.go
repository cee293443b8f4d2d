package serve_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/drydockhq/drydock/test/serve"
)

// repository makes a git repository with a task, on branch trunk.
func repository(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "repo")
	if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"acr-task.yaml":     "steps:\n- cmd: busybox echo top {{.Run.Branch}} {{.Run.Commit}}\n",
		"sub/acr-task.yaml": "steps:\n- cmd: busybox echo below {{.Values.who}}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "trunk"},
		{"add", "."},
		{"-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "one"},
	} {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	return dir
}

// addLarge adds a.bin to a repository, which is kept in Git LFS and begins with
// "large", and a task that prints it to the folder print.
func addLarge(t *testing.T, repo string) {
	t.Helper()
	const body = "large, as far as tests go\n"
	oid := fmt.Sprintf("%x", sha256.Sum256([]byte(body)))
	for name, text := range map[string]string{
		".gitattributes":      "*.bin filter=lfs -text\n",
		"print/acr-task.yaml": "steps:\n- cmd: busybox cat a.bin\n",
		"print/a.bin":         fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n", oid, len(body)),
		filepath.Join(".git/lfs/objects", oid[:2], oid[2:4], oid): body,
	} {
		file := filepath.Join(repo, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"-c", "filter.lfs.clean=cat", "add", "."},
		{"-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "two"},
	} {
		cmd := exec.Command("git", args...)
		cmd.Dir = repo
		cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null") // without git-lfs of the machine
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
}

func fileTask(source string) *armcontainerregistry.FileTaskRunRequest {
	return &armcontainerregistry.FileTaskRunRequest{
		Type: to.Ptr("FileTaskRunRequest"), SourceLocation: &source, TaskFilePath: to.Ptr("acr-task.yaml"),
		Platform: &armcontainerregistry.PlatformProperties{OS: to.Ptr(armcontainerregistry.OSLinux)},
		Values:   []*armcontainerregistry.SetValue{{Name: to.Ptr("who"), Value: to.Ptr("s3cr3t-who"), IsSecret: to.Ptr(true)}},
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	repo, large := repository(t), repository(t)
	addLarge(t, large)
	s := serve.Start(t, serve.Options{Args: []string{hub(t), "--sources-files", filepath.Dir(repo), "--sources-files", filepath.Dir(large)}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	update := exec.Command("git", "update-server-info")
	update.Dir = repo
	if out, err := update.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	files := http.StripPrefix("/app.git", http.FileServer(http.Dir(filepath.Join(repo, ".git"))))
	private := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, token, _ := r.BasicAuth(); token == "s3cr3t-token" {
			files.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
		http.Error(w, "who are you", http.StatusUnauthorized)
	}))
	t.Cleanup(private.Close)
	redirect := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/latest", http.StatusFound))
	t.Cleanup(redirect.Close)
	own := "https://127.0.0.1:" + s.Port
	artifact := s.LoginServer("contoso") + "/src:v1"
	pushSource(t, s, artifact, "steps:\n- cmd: busybox echo from the artifact\n")
	outside := a.Upload("contoso", "-- ../../../../tmp/drydock-outside --\nx\n")
	garbage := a.UploadBytes("contoso", []byte(strings.Repeat("FROM scratch\n", 100)))
	cut := a.UploadBytes("contoso", []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"))
	for name, c := range map[string]struct{ source, end, text string }{
		"no tarball":      {garbage, "failed", "the uploaded source " + garbage + " is no tar archive (a source is a tar archive, as it is or compressed by gzip (as tar -czf does)"},
		"half a tarball":  {cut, "failed", "unpacking the uploaded source " + cut + ": unexpected EOF (is it complete?"},
		"branch":          {"file://" + repo + "#trunk", "successful", "top trunk "},
		"default branch":  {"file://" + repo, "successful", "top "},
		"subfolder":       {"file://" + repo + "#trunk:sub", "successful", "below ***"},
		"large files":     {"file://" + large + "#trunk:print", "successful", "large, as far as tests go"},
		"wrong branch":    {"file://" + repo + "#nope", "failed", "nope"},
		"wrong subfolder": {"file://" + repo + "#trunk:nope", "failed", "nope"},
		"not open":        {"file:///etc", "failed", "may not read"},
		"this machine":    {"/etc", "failed", "there is no source"},
		"no such upload":  {"source/202601010000/none.tar.gz", "failed", "there is no source"},
		"standard input":  {"-", "failed", "standard input"},
		"tarball outside": {outside, "failed", "drydock-outside"},
		"no server":       {"https://127.0.0.1:1/x.tar.gz", "failed", "127.0.0.1:1"},

		"with a token":         {strings.Replace(private.URL, "://", "://ann:s3cr3t-token@", 1) + "/app.git#trunk:sub", "successful", "below ***"},
		"with a wrong token":   {strings.Replace(private.URL, "://", "://ann:s3cr3t-wrong@", 1) + "/app.git", "failed", "a private repository needs a token"},
		"private repository":   {private.URL + "/app.git", "failed", "a private repository needs a token"},
		"private tarball":      {private.URL + "/app.tar.gz", "failed", "401"},
		"metadata":             {"http://169.254.169.254/latest/user-data.tar.gz", "failed", "runs may not reach 169.254.169.254"},
		"metadata by git":      {"http://169.254.169.254/app.git", "failed", "runs may not reach 169.254.169.254"},
		"metadata, redirected": {redirect.URL + "/x.tar.gz", "failed", "runs may not reach 169.254.169.254"},
		"this server":          {own + "/x.tar.gz", "failed", "it is this server itself"},
		"this server by git":   {own + "/x.git", "failed", "it is this server itself"},
		"this server by name":  {"https://" + s.Host("management") + "/x.tar.gz", "failed", "it is this server itself"},
		"own registry":         {"oci://" + artifact, "successful", "from the artifact"},
		"not in the registry":  {"oci://" + artifact + "x", "failed", "src:v1x"},
	} {
		t.Run(name, func(t *testing.T) {
			id := a.Schedule("contoso", fileTask(c.source))
			text, end := a.WaitLog("contoso", id)
			if end != c.end || !strings.Contains(text, c.text) || strings.Contains(text, "s3cr3t") {
				t.Errorf("%s\n%s", end, text)
			}
			if run := a.Run("contoso", id); end == "failed" && (run.RunErrorMessage == nil || !strings.Contains(*run.RunErrorMessage, c.text)) {
				t.Errorf("the run's error does not say %q", c.text)
			}
		})
	}
	if _, err := os.Stat("/tmp/drydock-outside"); err == nil {
		t.Error("a tarball wrote outside of its folder")
	}
}

// pushSource pushes a task as an artifact, as oras does.
func pushSource(t *testing.T, s *serve.Server, image, task string) {
	t.Helper()
	pushFiles(t, s, image, map[string]string{"acr-task.yaml": task})
}

// pushFiles pushes files as an artifact, as oras does.
func pushFiles(t *testing.T, s *serve.Server, image string, files map[string]string) {
	t.Helper()
	ref, err := name.ParseReference(image)
	if err != nil {
		t.Fatal(err)
	}
	artifact := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	for title, text := range files {
		artifact, err = mutate.Append(artifact, mutate.Addendum{
			Layer:       static.NewLayer([]byte(text), "application/x-yaml"),
			Annotations: map[string]string{"org.opencontainers.image.title": title},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	auth := &authn.Basic{Username: s.ClientID, Password: s.Secret}
	if err := remote.Write(ref, artifact, remote.WithAuth(auth), remote.WithTransport(s.Transport()), remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func TestMemoryAtRest(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{})
	a := s.Azure()
	a.CreateRegistry("contoso")
	push(t, s, s.LoginServer("contoso")+"/hello:v1")
	if kib := s.Memory(); kib > 150<<10 {
		t.Errorf("the server has %d KiB in memory", kib)
	}
}
