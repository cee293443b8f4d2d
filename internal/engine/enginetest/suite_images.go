package enginetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/buildflags"
	"github.com/drydockhq/drydock/internal/engine"
)

// fetch asks a server by its name, as often as it needs to come up.
const fetch = `for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  wget -q -O - http://%s/page && exit 0
  sleep 0.2
done
exit 1`

func testNames(t *testing.T, s *suite) {
	session := s.open(t, s.newSpec())
	ctx, cancel := context.WithCancel(t.Context())
	server, _, _ := s.sh("web", "mkdir -p www && echo hello > www/page && httpd -f -p 80 -h www")
	done := started(t, ctx, session, server)
	client, _, _ := s.sh("client", fmt.Sprintf(fetch, "web"))
	wantText(t, "the page", mustRun(t, session, client), "hello\n")
	other, _, _ := s.sh("stranger", "wget -q -O - http://web/page")
	wantStatus(t, s.open(t, s.newSpec()).Run(t.Context(), other), 1)
	cancel()
	<-done
	client, _, _ = s.sh("late", "wget -q -O - http://web/page")
	wantStatus(t, session.Run(t.Context(), client), 1)
}

// docker carries out a docker command and returns what it wrote.
func docker(ctx context.Context, session engine.Session, args ...string) (string, error) {
	var out output
	err := session.Docker(ctx, engine.DockerCommand{
		StepID: "docker", Args: args, Dir: workspace, Stdout: &out, Stderr: &out,
	})
	return out.String(), err
}

func testDockerKeepsDigest(t *testing.T, s *suite) {
	session := s.open(t, s.newSpec())
	copied := s.Registry + "/suite/copied:1"
	for _, args := range [][]string{{"pull", s.Busybox}, {"tag", s.Busybox, copied}, {"push", copied}} {
		if out, err := docker(t.Context(), session, args...); err != nil {
			t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	want, err := s.Digest(t.Context(), s.Busybox)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Digest(t.Context(), copied)
	if err != nil {
		t.Fatal(err)
	}
	wantText(t, "the digest of the copy", got, want)

	again := s.Registry + "/suite/copied:2"
	if out, err := docker(t.Context(), session, "tag", copied, again); err != nil {
		t.Fatalf("docker tag: %v\n%s", err, out)
	}
	digest, err := session.Push(t.Context(), again, &output{})
	if err != nil {
		t.Fatal(err)
	}
	wantText(t, "the digest that Push returned", digest, want)
}

func testDockerLogin(t *testing.T, s *suite) {
	var mu sync.Mutex
	var told []string
	spec := s.newSpec()
	spec.Secret = func(values ...string) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, values...)
	}
	session := s.open(t, spec)
	var out output
	err := session.Docker(t.Context(), engine.DockerCommand{
		StepID: "login", Args: []string{"login", s.Registry, "-u", "user", "--password-stdin"}, Dir: workspace,
		Stdin: strings.NewReader("hunter2\n"), Stdout: &out, Stderr: &out,
	})
	if err != nil {
		t.Fatalf("docker login: %v\n%s", err, out.String())
	}
	mu.Lock()
	defer mu.Unlock()
	if !strings.Contains(strings.Join(told, " "), "hunter2") {
		t.Errorf("the log was told of %q, want the password", told)
	}
	if strings.Contains(out.String(), "hunter2") {
		t.Errorf("the password is in the output: %s", out.String())
	}
}

func testDockerUnsupported(t *testing.T, s *suite) {
	session := s.open(t, s.newSpec())
	out, err := docker(t.Context(), session, "swarm", "init")
	if err == nil || !strings.Contains(out+err.Error(), "swarm") {
		t.Errorf("docker swarm: %v, output %q; want an error that names it", err, out)
	}
	if _, err := docker(t.Context(), session, "tag", "no/such/image:1", "other:1"); err == nil {
		t.Error("an unknown image was tagged")
	}
}

func testBuildPush(t *testing.T, s *suite) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM "+s.Busybox+"\nLABEL a=b\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	spec := s.newSpec()
	spec.Source = dir
	session := s.open(t, spec)
	tag := s.Registry + "/suite/built:1"
	flags, err := buildflags.Parse([]string{"-t", tag, "."})
	if err != nil {
		t.Fatal(err)
	}
	var out output
	if err := session.Build(t.Context(), engine.Build{StepID: "build", Flags: flags, Dir: workspace, Out: &out}); err != nil {
		t.Fatalf("Build: %v\n%s", err, out.String())
	}
	c, _, _ := s.sh("try", "echo it runs")
	c.Image = tag
	wantText(t, "output of the image", mustRun(t, session, c), "it runs\n")
	digest, err := session.Push(t.Context(), tag, &out)
	if err != nil {
		t.Fatalf("Push: %v\n%s", err, out.String())
	}
	there, err := s.Digest(t.Context(), tag)
	if err != nil {
		t.Fatal(err)
	}
	wantText(t, "the digest in the registry", there, digest)
	checkDependencies(t, s, session.Dependencies(), digest)
}

func checkDependencies(t *testing.T, s *suite, found []drydock.ImageDependencies, digest string) {
	t.Helper()
	base, err := s.Digest(t.Context(), s.Busybox)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || found[0].Image == nil || found[0].Runtime == nil {
		t.Fatalf("dependencies are %+v, want those of one image", found)
	}
	wantText(t, "the image's digest", found[0].Image.Digest, digest)
	wantText(t, "the base's digest", found[0].Runtime.Digest, base)
}

func testPushOfUnknownImage(t *testing.T, s *suite) {
	session := s.open(t, s.newSpec())
	image := s.Registry + "/suite/never-built:1"
	digest, err := session.Push(t.Context(), image, &output{})
	var exit *drydock.ExitError
	if err == nil || errors.As(err, &exit) || digest != "" {
		t.Errorf("Push = %q, %v, want an error", digest, err)
	}
	if _, err := s.Digest(t.Context(), image); err == nil {
		t.Error("it is in the registry")
	}
}
