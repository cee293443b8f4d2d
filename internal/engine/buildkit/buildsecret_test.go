package buildkit_test

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/registry"
)

func TestBuildSSH(t *testing.T) {
	t.Parallel()
	e := newExecutor(t, buildkit.Config{})
	base := newRegistry(t, registry.Options{}, "busybox").Host + "/busybox"
	r := openRun(t, e, `
-- Dockerfile --
FROM `+base+`
RUN --mount=type=ssh,required=true test -S "$SSH_AUTH_SOCK"
RUN --mount=type=ssh,id=deploy,required=true test -S "$SSH_AUTH_SOCK" && echo socket > /socket
`, func(s *engine.RunSpec) {
		key := filepath.Join(s.Source, "key")
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v\n%s", err, out)
		}
		if err := os.WriteFile(filepath.Join(s.Source, "garbage"), []byte("no key"), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	r.build("-t", "ssh", "--ssh", "default=key", "--ssh=deploy=key", ".")
	wantEqual(t, "/socket", r.run("ssh", "cat /socket"), "socket\n")
	wantError(t, r.buildError("--ssh", "default", "."), drydock.Invalid, "--ssh default", "name a key in the workspace")
	wantError(t, r.buildError("--ssh", "default=garbage", "."), drydock.Invalid, "--ssh")
}

func TestSecretBuildArg(t *testing.T) {
	t.Parallel()
	e := newExecutor(t, buildkit.Config{})
	reg := newRegistry(t, registry.Options{}, "busybox")
	const secret = "hunter2-hunter2"
	var told []string
	r := openRun(t, e, `
-- Dockerfile --
FROM `+reg.Host+`/busybox
ARG TOKEN
ARG OTHER
RUN test -n "$TOKEN" && echo "$TOKEN" | md5sum > /sum
RUN echo "$OTHER" > /other
WORKDIR /$OTHER
-- Dockerfile.from --
FROM `+reg.Host+`/secretarg
RUN true
`, func(s *engine.RunSpec) {
		s.Secret = func(values ...string) { told = append(told, values...) }
	})
	r.build("-t", reg.Host+"/secretarg", "--secret-build-arg", "TOKEN="+secret, "--build-arg=OTHER=plain", ".")
	// The progress shows RUN with its arguments; the log masks what it is told.
	wantEqual(t, "what the log is told to mask", strings.Join(told, " "), secret)
	r.build("-t", reg.Host+"/from", "-f", "Dockerfile.from", ".")
	for _, name := range []string{"secretarg", "from"} {
		r.push(reg.Host + "/" + name)
		desc, err := reg.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		img, err := desc.Image()
		if err != nil {
			t.Fatal(err)
		}
		config, err := img.RawConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(config), secret) {
			t.Errorf("the config of %s holds the secret:\n%s", name, config)
		}
		wantContains(t, "the history", string(config), "TOKEN=", "OTHER=plain")
	}
	wantContains(t, "/sum", r.run(reg.Host+"/secretarg", "cat /sum"), "  -")
}

// What is secret is in no file that outlives a run.
func TestSecretsInDataFolder(t *testing.T) {
	t.Parallel()
	base := newPrivateRegistry(t, registry.Options{Tokens: true}, "busybox")
	root, err := os.MkdirTemp("", "drydock-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	e, err := buildkit.New(t.Context(), buildkit.Config{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{"value-of-secret-file", "value-of-secret-env", "value-of-secret-arg", "value-of-password"}
	r := openRun(t, e, `
-- file --
value-of-secret-file
-- Dockerfile --
FROM `+base.Host+`/busybox
ARG TOKEN
RUN --mount=type=secret,id=a --mount=type=secret,id=b cat /run/secrets/a /run/secrets/b | md5sum > /sum; echo "$TOKEN" | md5sum >> /sum
-- fails/Dockerfile --
FROM `+base.Host+`/busybox
ARG TOKEN
RUN test "$TOKEN" = other
`, func(s *engine.RunSpec) {
		s.Credentials = []drydock.Credential{
			{Registry: base.Host, Username: "u", Password: "p"},
			{Registry: "other.example", Username: "u", Password: "value-of-password"},
		}
	})
	r.env = []string{"S=value-of-secret-env"}
	r.build("-t", base.Host+"/app", "--secret", "id=a,src=file", "--secret", "id=b,env=S", "--secret-build-arg", "TOKEN=value-of-secret-arg", ".")
	r.push(base.Host + "/app")
	r.buildError("--secret-build-arg", "TOKEN=value-of-secret-arg", "fails")
	r.close()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	files := 0
	if err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(name)
		files++
		for _, secret := range secrets {
			for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte("u:" + secret))} {
				if bytes.Contains(data, []byte(form)) {
					t.Errorf("%s holds %s", name, form)
				}
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if files < 5 {
		t.Errorf("the data folder has %d files", files)
	}
}
