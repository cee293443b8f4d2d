package compat_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/gotool"
	"github.com/drydockhq/drydock/test/serve"
)

// client returns the client, in an empty folder, on the machine that trusts the
// server. Its environment is what other programs run in, too.
func (a *sdk) client(t *testing.T, env ...string) *serve.Client {
	t.Helper()
	dir := t.TempDir()
	env = append(env, "HOME="+dir, "XDG_RUNTIME_DIR="+dir, "TMPDIR="+dir)
	return a.Server.Client(serve.Client{Machine: a.site.machine, Dir: dir, Env: env})
}

// write writes a file of the client's folder.
func write(t *testing.T, c *serve.Client, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(c.Dir, name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// skopeo copies an image out, back in and within the registry, as the admin
// user; its store of certificates is the machine's.
func skopeo(t *testing.T, a *sdk) {
	c := a.client(t)
	policy := write(t, c, "policy.json", `{"default":[{"type":"insecureAcceptAnything"}]}`, 0o644)
	run := func(args ...string) string {
		t.Helper()
		return c.MustExec("skopeo", append([]string{"--policy", policy}, args...)...)
	}
	want := a.push(t, a.login+"/app:v1")
	if out, problems, status := c.Exec("skopeo", "--policy", policy, "list-tags", "docker://"+a.login+"/app"); status == 0 {
		t.Errorf("nobody lists tags: %s%s", out, problems)
	}
	run("login", "-u", a.registry, "-p", a.adminUser(t), a.login)
	run("copy", "docker://"+a.login+"/app:v1", "oci:layout:v1")
	run("copy", "--preserve-digests", "oci:layout:v1", "docker://"+a.login+"/team/copy:v2")
	if got := a.digest(t, a.login+"/team/copy:v2"); got != want {
		t.Errorf("after a copy out and in, %s is %s", want, got)
	}
	run("copy", "docker://"+a.login+"/app:v1", "docker://"+a.login+"/app:v3")
	if out := run("list-tags", "docker://"+a.login+"/app"); !strings.Contains(out, `"v1"`) || !strings.Contains(out, `"v3"`) {
		t.Errorf("the tags are %s", out)
	}
	if out := run("inspect", "docker://"+a.login+"/team/copy:v2"); !strings.Contains(out, want) {
		t.Errorf("the copy is %s", out)
	}
	run("delete", "docker://"+a.login+"/team/copy:v2")
	run("logout", a.login)
	if out, problems, status := c.Exec("skopeo", "--policy", policy, "login", "-u", a.registry, "-p", "wrong", a.login); status == 0 {
		t.Errorf("a wrong password signs in: %s%s", out, problems)
	}
	// What `acr login` writes is skopeo's too.
	c.Must("acr", "login", "-n", a.registry)
	run("list-tags", "--authfile", filepath.Join(c.Folder, "docker", "config.json"), "docker://"+a.login+"/app")
}

// credentialHelper keeps what Docker's clients give it, in files beside itself.
const credentialHelper = `#!/bin/sh
cd "$(dirname "$0")" || exit 1
case $1 in
store) cat > credential ;;
get) cat > asked; if [ -f credential ]; then cat credential; else echo "credentials not found in native keychain"; exit 1; fi ;;
erase) rm -f credential ;;
list) echo "{}" ;;
esac
`

// orasClient pushes and pulls an artifact with what "acr login" left: in the
// Docker configuration, and in a credential helper that it names.
func orasClient(t *testing.T, a *sdk) {
	c := a.client(t)
	program := filepath.Join(t.TempDir(), "oras")
	if err := gotool.Build(t.Context(), "../images/tools", program, "./oras"); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(c.Folder, "docker", "config.json")
	reference := a.login + "/docs/manual:v1"
	write(t, c, "manual.md", "# A manual\n", 0o644)
	if out, problems, status := c.Exec(program, "push", reference, "manual.md"); status == 0 {
		t.Fatalf("nobody pushes: %s%s", out, problems)
	}
	c.Must("acr", "login", "-n", a.registry)
	c.MustExec(program, "push", reference, "manual.md:text/markdown")
	if err := os.Remove(config); err != nil {
		t.Fatal(err)
	}

	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "docker-credential-files"), []byte(credentialHelper), 0o755); err != nil {
		t.Fatal(err)
	}
	c.Env = append(c.Env, "PATH="+bin+":"+os.Getenv("PATH"))
	if err := os.WriteFile(config, []byte(`{"credsStore":"files"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Must("acr", "login", "-n", a.registry)
	if text := must(os.ReadFile(config))(t); strings.Contains(string(text), "identitytoken") || strings.Contains(string(text), `"auth":`) {
		t.Errorf("with a credential helper, the configuration is %s", text)
	}
	if err := os.Remove(filepath.Join(c.Dir, "manual.md")); err != nil {
		t.Fatal(err)
	}
	c.MustExec(program, "pull", reference)
	if text := must(os.ReadFile(filepath.Join(c.Dir, "manual.md")))(t); string(text) != "# A manual\n" {
		t.Errorf("pulled %q", text)
	}
	if out := c.Must("acr", "check-health", "-n", a.registry, "--yes"); strings.Count(out, " : OK") < 5 {
		t.Errorf("the health is\n%s", out)
	}
	if out := c.Must("acr", "manifest", "list", "-r", a.registry, "-n", "docs/manual", "--query", "[0].artifactType", "-o", "tsv"); out != "application/vnd.unknown.artifact.v1\n" {
		t.Errorf("the artifact is of the type %s", out)
	}
}
