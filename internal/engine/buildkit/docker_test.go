package buildkit_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/registry"
)

func TestDockerImages(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox", "multi")
	base := reg.Host + "/busybox"
	digest, err := reg.Digest("busybox")
	if err != nil {
		t.Fatal(err)
	}
	r := openRun(t, newExecutor(t, buildkit.Config{}), "-- Dockerfile --\nFROM "+base+"\nENV A=b\nRUN "+ran+"\n")
	wantContains(t, "pull", r.docker("pull", base), "Digest: "+digest, "Status: Downloaded newer image for "+base+":latest")
	wantContains(t, "the second pull", r.docker("pull", base), "Status: Image is up to date")
	wantEqual(t, "quiet pull", r.docker("pull", "-q", base), base+":latest\n")

	stdout, stderr, err := r.tryDocker(nil, "build", "-t", "built", ".")
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	wantContains(t, "progress of a build", stderr, executed)
	if strings.Contains(stdout, "RUN") {
		t.Errorf("the progress is on standard output:\n%s", stdout)
	}
	id := strings.TrimSpace(r.docker("build", "-q", "-t", "quiet", "."))
	wantEqual(t, "id", strings.TrimSpace(r.docker("inspect", "-f", "{{.Id}}", "quiet")), id)
	out, errs, err := r.tryDocker(strings.NewReader("FROM "+base+"\nRUN echo piped > /piped\n"), "build", "-t", "piped", "-")
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, errs)
	}
	wantEqual(t, "/piped", r.run("piped", "cat /piped"), "piped\n")

	wantContains(t, "images", r.docker("images"), "REPOSITORY", "built", "quiet", "piped", base)
	wantEqual(t, "quiet images", r.docker("images", "-q", "--no-trunc", "built"), id+"\n")
	var inspected []struct {
		ID          string `json:"Id"`
		RepoTags    []string
		RepoDigests []string
		Config      struct{ Env []string }
	}
	if err := json.Unmarshal([]byte(r.docker("inspect", "built", base)), &inspected); err != nil {
		t.Fatal(err)
	}
	if len(inspected) != 2 || !strings.Contains(strings.Join(inspected[0].Config.Env, " "), "A=b") {
		t.Errorf("inspected %+v", inspected)
	} else {
		wantEqual(t, "names", strings.Join(inspected[0].RepoTags, " "), "built:latest quiet:latest")
		wantEqual(t, "digests", strings.Join(inspected[1].RepoDigests, " "), base+"@"+digest)
	}
	r.docker("tag", id, "by-id")
	r.docker("rmi", "by-id", "built")
	if _, err := r.tryRun("by-id", "true"); err == nil {
		t.Error("a removed image ran")
	}
	r.run("quiet", "true")
	if _, stderr, err := r.tryDocker(nil, "pull", reg.Host+"/busybox:nowhere"); err == nil {
		t.Error("an unknown image was pulled")
	} else {
		wantContains(t, "the message", stderr, "nowhere", "not found")
	}
	if _, stderr, err := r.tryDocker(nil, "pull", "--platform", "linux/s390x", reg.Host+"/multi"); err == nil {
		t.Error("an image was pulled for a platform that it is not for")
	} else {
		wantContains(t, "the message", stderr, "linux/s390x")
	}
	if _, stderr, err := r.tryDocker(nil, "swarm", "init"); err == nil {
		t.Error("docker swarm did something")
	} else {
		wantContains(t, "the message", stderr, "swarm")
	}
}

func TestDockerLogin(t *testing.T) {
	t.Parallel()
	for name, tokens := range map[string]bool{"basic": false, "tokens": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reg := newPrivateRegistry(t, registry.Options{Tokens: tokens}, "busybox=private:1")
			open := newRegistry(t, registry.Options{}, "busybox")
			image := reg.Host + "/private:1"
			r := openRun(t, newExecutor(t, buildkit.Config{}), "")
			config := func() string { return r.run(open.Host+"/busybox", `cat "$HOME/.docker/config.json"`) }
			pull := func() error {
				_, _, err := r.tryDocker(nil, "pull", image)
				return err
			}
			if err := pull(); err == nil {
				t.Error("pulled without a login")
			}
			_, stderr, err := r.tryDocker(strings.NewReader("wrong\n"), "login", reg.Host, "-u", "u", "--password-stdin")
			if err == nil {
				t.Error("a wrong password was accepted")
			}
			wantContains(t, "the message", stderr, reg.Host)
			if err := pull(); err == nil {
				t.Error("pulled after a failed login")
			}
			out, stderr, err := r.tryDocker(strings.NewReader("p\n"), "login", "--username", "u", "--password-stdin", reg.Host)
			if err != nil {
				t.Fatalf("login: %v\n%s", err, stderr)
			}
			wantContains(t, "login", out, "Login Succeeded")
			wantContains(t, "config.json", config(), reg.Host, "dTpw")
			if err := pull(); err != nil {
				t.Errorf("pull after the login: %v", err)
			}
			wantContains(t, "logout", r.docker("logout", reg.Host), "Removing login credentials")
			if strings.Contains(config(), reg.Host) {
				t.Errorf("config.json keeps the login:\n%s", config())
			}
			fresh := reg.Host + "/private@sha256:" + strings.Repeat("0", 64)
			if _, stderr, err := r.tryDocker(nil, "pull", fresh); err == nil || strings.Contains(stderr, "not found") {
				t.Errorf("the login is used after the logout: %v %s", err, stderr)
			}
		})
	}
}

func TestDockerManifest(t *testing.T) {
	t.Parallel()
	reg := registry.Start(t, registry.Options{})
	r := openRun(t, newExecutor(t, buildkit.Config{}), `
-- Dockerfile --
FROM scratch
ARG TARGETARCH
COPY Dockerfile /$TARGETARCH
`)
	list := reg.Host + "/list:1"
	for _, arch := range []string{"amd64", "arm64"} {
		image := fmt.Sprintf("%s/app:%s", reg.Host, arch)
		r.docker("build", "--platform", "linux/"+arch, "-t", image, ".")
		r.docker("push", image)
	}
	r.docker("manifest", "create", list, reg.Host+"/app:amd64", reg.Host+"/app:arm64")
	r.docker("manifest", "annotate", "--arch", "arm64", "--os", "linux", list, reg.Host+"/app:arm64")
	digest := strings.TrimSpace(r.docker("manifest", "push", list))
	wantValid(t, reg, "list:1")
	if there, err := reg.Digest("list:1"); err != nil || !strings.HasSuffix(digest, there) {
		t.Errorf("pushed %s, the registry has %s, %v", digest, there, err)
	}
	wantContains(t, "the list", r.docker("manifest", "inspect", list), `"architecture": "amd64"`, `"architecture": "arm64"`)

	r.docker("buildx", "build", "--platform", "linux/amd64,linux/arm64", "--push", "-t", reg.Host+"/buildx:1", ".")
	wantValid(t, reg, "buildx:1")
	wantContains(t, "the index", r.docker("buildx", "imagetools", "inspect", reg.Host+"/buildx:1"), "linux/amd64", "linux/arm64")
}

func TestDockerBuildError(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox")
	r := openRun(t, newExecutor(t, buildkit.Config{}), "-- Dockerfile --\nFROM "+reg.Host+"/busybox\nRUN exit 3\n")
	_, stderr, err := r.tryDocker(nil, "build", ".")
	if err == nil {
		t.Fatal("a failing build succeeded")
	}
	if code := drydock.CodeOf(err); code == drydock.Invalid {
		t.Errorf("code is %s", code)
	}
	wantContains(t, "the message", stderr, "Dockerfile:2", "exit code: 3")
}
