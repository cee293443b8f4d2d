package dockercmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine/dockercmd"
)

// docker is a client under test with its store.
type docker struct {
	t      *testing.T
	store  *fakeStore
	client *dockercmd.Client
	stdin  string
	env    []string
}

// setup has in its registry: busybox for two platforms and as an index, an OCI
// image, and one more version of it.
func setup(t *testing.T) *docker {
	t.Helper()
	s := newFakeStore()
	amd := s.image(dockerV2, "linux/amd64", "amd")
	arm := s.image(dockerV2, "linux/arm64", "arm")
	s.remote["docker.io/library/busybox:latest"] = amd
	s.remote["docker.io/library/busybox:arm"] = arm
	s.remote["r.io/app:v1"] = s.image(ocispec.MediaTypeImageManifest, "linux/amd64", "v1")
	s.remote["r.io/app:v2"] = s.image(ocispec.MediaTypeImageManifest, "linux/arm64", "v2")
	index, _ := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": ocispec.MediaTypeImageIndex, "manifests": []any{
		map[string]any{"mediaType": dockerV2, "digest": amd.desc.Digest, "size": amd.desc.Size, "platform": map[string]string{"os": "linux", "architecture": "amd64"}},
	}})
	s.remote["docker.io/library/busybox:index"] = content{desc(ocispec.MediaTypeImageIndex, index), index}
	return &docker{t: t, store: s, client: dockercmd.New(s)}
}

// try runs a command, whose words are separated by spaces, and returns what it
// printed and its status.
func (d *docker) try(words ...string) (stdout, stderr string, status int) {
	d.t.Helper()
	if len(words) == 1 {
		words = strings.Fields(words[0])
	}
	var out, errOut bytes.Buffer
	err := d.client.Run(d.t.Context(), dockercmd.Invocation{
		Args: words, Env: d.env, Stdin: strings.NewReader(d.stdin), Stdout: &out, Stderr: &errOut,
	})
	var exit *drydock.ExitError
	switch {
	case err == nil:
	case errors.As(err, &exit):
		status = exit.Status
	default:
		d.t.Fatalf("docker %q: %v is no *drydock.ExitError", words, err)
	}
	return out.String(), errOut.String(), status
}

// must runs a command that has to succeed.
func (d *docker) must(words ...string) string {
	d.t.Helper()
	out, errOut, status := d.try(words...)
	if status != 0 {
		d.t.Fatalf("docker %q: status %d\n%s", words, status, errOut)
	}
	return out
}

// refused runs a command that has to fail with a message.
func (d *docker) refused(status int, message string, words ...string) {
	d.t.Helper()
	_, errOut, got := d.try(words...)
	if got != status || !strings.Contains(errOut, message) {
		d.t.Errorf("docker %q: status %d, %q; want status %d, %q", words, got, errOut, status, message)
	}
}

func (d *docker) want(want string, words ...string) {
	d.t.Helper()
	if diff := cmp.Diff(want, d.must(words...)); diff != "" {
		d.t.Errorf("docker %q (-want +got):\n%s", words, diff)
	}
}

func (d *docker) digest(name string) string {
	return d.store.remote[name].desc.Digest.String()
}

func TestPull(t *testing.T) {
	t.Parallel()
	d := setup(t)
	sum := d.digest("docker.io/library/busybox:latest")
	d.want("Using default tag: latest\nlatest: Pulling from library/busybox\nprogress of docker.io/library/busybox:latest \n"+
		"Digest: "+sum+"\nStatus: Downloaded newer image for busybox:latest\ndocker.io/library/busybox:latest\n", "pull busybox")
	d.want("latest: Pulling from library/busybox\nprogress of docker.io/library/busybox:latest linux/arm64\n"+
		"Digest: "+sum+"\nStatus: Image is up to date for busybox:latest\ndocker.io/library/busybox:latest\n", "pull --platform=linux/arm64 busybox:latest")
	d.want("r.io/app:v1\n", "image pull -q r.io/app:v1")
	d.env = []string{"DOCKER_DEFAULT_PLATFORM=linux/s390x"}
	if out := d.must("pull busybox"); !strings.Contains(out, "progress of docker.io/library/busybox:latest linux/s390x\n") {
		t.Errorf("DOCKER_DEFAULT_PLATFORM had no effect:\n%s", out)
	}
}

func TestPullByDigest(t *testing.T) {
	t.Parallel()
	d := setup(t)
	app := d.store.remote["r.io/app:v1"]
	name := "r.io/app@" + app.desc.Digest.String()
	d.store.remote[name] = app
	d.want(name+": Pulling from app\nprogress of "+name+" \nDigest: "+app.desc.Digest.String()+
		"\nStatus: Downloaded newer image for "+name+"\n"+name+"\n", "pull", "r.io/app:v1@"+app.desc.Digest.String())
}

func TestPullRefused(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.refused(1, "--all-tags is not supported", "pull -a busybox")
	d.refused(1, "manifest unknown", "pull nosuch")
	d.refused(1, `invalid reference format: "Busy Box"`, "pull", "Busy Box")
	d.refused(125, "unknown flag: --what", "pull --what busybox")
	d.refused(1, `"docker pull" requires exactly 1 argument`, "pull")
	d.refused(1, `requires exactly 1 argument`, "pull a b")
}

func TestTagAndPush(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.must("pull busybox")
	d.want("", "tag busybox r.io/base/busybox:1-green")
	sum := d.digest("docker.io/library/busybox:latest")
	size := d.must("buildx", "imagetools", "inspect", "--format", "{{.Manifest.Size}}", "busybox")
	d.want("The push refers to repository [r.io/base/busybox]\nprogress\n1-green: digest: "+sum+" size: "+size, "push r.io/base/busybox:1-green")
	if got := d.digest("r.io/base/busybox:1-green"); got != sum {
		t.Errorf("the digest changed: %s, want %s", got, sum)
	}
	d.want("r.io/base/busybox:1-green\n", "push -q r.io/base/busybox:1-green")
	d.must("image tag busybox r.io/base/busybox")
	if out := d.must("push r.io/base/busybox"); !strings.HasPrefix(out, "Using default tag: latest\nThe push refers") {
		t.Errorf("push without a tag printed\n%s", out)
	}
	out := d.must("push --all-tags r.io/base/busybox")
	if !strings.Contains(out, "1-green: digest: ") || !strings.Contains(out, "latest: digest: ") {
		t.Errorf("push -a printed\n%s", out)
	}
}

func TestTagAndPushRefused(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.must("pull busybox")
	sum := d.digest("docker.io/library/busybox:latest")
	d.refused(1, "No such image: nosuch:latest", "tag nosuch:latest r.io/x")
	d.refused(1, "can't be chosen", "tag", "busybox", "r.io/x@"+sum)
	d.refused(1, "can't be chosen", "push", "busybox@"+sum)
	d.refused(1, "An image does not exist locally with the tag: r.io/x:latest", "push r.io/x")
	d.refused(1, "tag can't be used with --all-tags", "push -a r.io/x:1")
	d.refused(1, "does not exist locally", "push -a r.io/x")
	d.refused(1, "--platform is not supported", "push --platform linux/amd64 busybox")
}

func TestImagesByID(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.must("pull -q busybox")
	d.must("pull -q r.io/app:v1")
	id := strings.TrimSpace(d.must("images -q busybox"))
	if len(id) != 12 {
		t.Fatalf("images -q printed %q", id)
	}
	full := strings.TrimSpace(d.must("images --no-trunc -q busybox"))
	d.must("tag", id, "r.io/x:short")
	d.must("tag", full, "r.io/x:full")
	d.want(full+"\n", "inspect", "-f", "{{.Id}}", "r.io/x:short")
	d.want(full+"\n", "inspect", "-f", "{{.ID}}", d.digest("docker.io/library/busybox:latest"))
	d.refused(1, "must be forced", "rmi", id)
	d.want("Untagged: r.io/x:full\n", "rmi r.io/x:full")
	d.want("Untagged: busybox:latest\nUntagged: r.io/x:short\nDeleted: "+full+"\n", "image", "rm", "-f", id)
	d.refused(1, "No such image: "+id, "rmi", id)
	if _, _, status := d.try("rmi", "-f", id); status != 0 {
		t.Errorf("rmi -f of a missing image: status %d", status)
	}
}

func TestAmbiguousID(t *testing.T) {
	t.Parallel()
	d := setup(t)
	// With 17 images, two begin with the same digit.
	for i := range 17 {
		d.store.local["r.io/many:"+string(rune('a'+i))] = d.store.image(dockerV2, "linux/amd64", string(rune('a'+i)))
	}
	first := map[byte]bool{}
	for _, line := range strings.Fields(d.must("images -q")) {
		if first[line[0]] {
			d.refused(1, "is ambiguous", "tag", "sha256:"+line[:1], "r.io/x")
			return
		}
		first[line[0]] = true
	}
	t.Fatal("no two images begin alike")
}

func TestImagesTable(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.must("pull -q busybox")
	d.must("pull -q r.io/app:v1")
	d.must("tag r.io/app:v1 r.io/app:prod")
	lines := strings.Split(d.must("images"), "\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[0], "REPOSITORY   TAG       IMAGE ID       CREATED") || !strings.HasSuffix(lines[0], "SIZE") {
		t.Fatalf("images printed\n%s", strings.Join(lines, "\n"))
	}
	if !strings.HasPrefix(lines[1], "busybox      latest    ") || !strings.HasSuffix(lines[1], "ago   4.26MB") {
		t.Errorf("first line %q", lines[1])
	}
	d.want("r.io/app:prod\nr.io/app:v1\n", "images", "--format", "{{.Repository}}:{{.Tag}}", "r.io/app")
	d.want("v1\n", "image", "ls", "--format", "{{.Tag}}", "r.io/app:v1")
	d.want("prod\nv1\n", "images", "--format", "{{.Tag}}", "r.*/app")
	d.want("", "images -q nosuch")
	d.want("busybox "+d.digest("docker.io/library/busybox:latest")+"\n", "images", "--format", `{{.Repository}} {{.Digest}}`, "busybox")
	if out := d.must("images --digests busybox"); !strings.Contains(out, "DIGEST") || !strings.Contains(out, d.digest("docker.io/library/busybox:latest")) {
		t.Errorf("images --digests printed\n%s", out)
	}
	d.want("TAG       REPOSITORY\nlatest    busybox\n", "images", "--format", `table {{.Tag}}\t{{.Repository}}`, "busybox")
	var row map[string]string
	if err := json.Unmarshal([]byte(d.must("images --format json busybox")), &row); err != nil || row["Repository"] != "busybox" {
		t.Errorf("images --format json: %v, %v", row, err)
	}
}

func TestImagesFilter(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.must("pull -q busybox")
	d.must("pull -q r.io/app:v1")
	for filter, want := range map[string]string{
		"reference=busybox": "busybox", "reference=r.io/*:v1": "r.io/app", "reference=*:latest": "busybox",
		"label=l=v1": "r.io/app", "label=l=none": "", "label=none": "", "dangling=true": "", "since=busybox": "",
	} {
		got := strings.TrimSpace(d.must("images", "--filter", filter, "--format", "{{.Repository}}"))
		if got != want {
			t.Errorf("images --filter %s: %q, want %q", filter, got, want)
		}
	}
	d.refused(1, "invalid filter 'color'", "images -f color=red")
	d.refused(1, "invalid filter 'dangling=maybe'", "images -f dangling=maybe")
	d.refused(1, "invalid filter 'reference=[", "images -f reference=[")
	d.refused(1, "template parsing error", "images", "--format", "{{.Nope}}")
	d.refused(1, "template parsing error", "images", "--format", "{{")
}

func TestInspect(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.must("pull -q busybox")
	var images []map[string]any
	if err := json.Unmarshal([]byte(d.must("inspect busybox")), &images); err != nil {
		t.Fatal(err)
	}
	i := images[0]
	config := i["Config"].(map[string]any)
	got := map[string]any{
		"tags": i["RepoTags"], "digests": i["RepoDigests"], "os": i["Os"], "arch": i["Architecture"], "created": i["Created"],
		"env": config["Env"], "cmd": config["Cmd"], "entry": config["Entrypoint"], "dir": config["WorkingDir"], "user": config["User"],
		"ports": config["ExposedPorts"], "health": config["Healthcheck"], "size": i["Size"], "comment": i["Comment"],
		"layers": len(i["RootFS"].(map[string]any)["Layers"].([]any)),
	}
	want := map[string]any{
		"tags": []any{"busybox:latest"}, "digests": []any{"busybox@" + d.digest("docker.io/library/busybox:latest")},
		"os": "linux", "arch": "amd64", "created": "2026-01-02T03:04:05Z", "env": []any{"PATH=/bin", "A=b"}, "cmd": []any{"sh"},
		"entry": []any{"/e"}, "dir": "/w", "user": "1000", "ports": map[string]any{"80/tcp": map[string]any{}},
		"health": map[string]any{"Test": []any{"NONE"}}, "size": 4261550.0, "comment": "made by a test", "layers": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("inspect (-want +got):\n%s", diff)
	}
}

func TestInspectFormat(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.must("pull -q busybox")
	for format, want := range map[string]string{
		"{{index .RepoDigests 0}}":                  "busybox@" + d.digest("docker.io/library/busybox:latest"),
		"{{.RepoTags}}":                             "[busybox:latest]",
		"{{.Config.Labels.l}} {{.Os}} {{.Created}}": "amd linux 2026-01-02T03:04:05Z",
		"{{range .Config.Env}}{{.}};{{end}}":        "PATH=/bin;A=b;",
		"{{json .Config.Cmd}}":                      `["sh"]`,
		"{{.Size}} {{len .RootFS.Layers}}":          "4261550 1",
		"{{join .Config.Env \",\"}}":                "PATH=/bin,A=b",
	} {
		d.want(want+"\n", "inspect", "--format", format, "busybox")
	}
	d.refused(1, "template parsing error", "inspect", "-f", "{{.Nope}}", "busybox")
	d.refused(1, "only images can be inspected", "inspect --type container busybox")
	out, errOut, status := d.try("inspect busybox nosuch")
	if status != 1 || !strings.HasPrefix(out, "[\n    {\n        \"Id\"") || errOut != "Error: No such image: nosuch\n" {
		t.Errorf("inspect of one that is missing: status %d\n%s%s", status, out, errOut)
	}
	out, _, _ = d.try("inspect nosuch")
	if out != "[]\n" {
		t.Errorf("inspect of nothing printed %q", out)
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.store.users["r.io"], d.store.users["docker.io"] = "u:pä ss", "u:pw"
	d.stdin = "pä ss\r\n"
	d.want("Login Succeeded\n", "login -u u --password-stdin https://R.io/v2/")
	d.want("Login Succeeded\n", "login -u u -p pw")
	if diff := cmp.Diff(map[string]string{"r.io": "u", "docker.io": "u"}, d.store.logins); diff != "" {
		t.Error(diff)
	}
	d.want("Removing login credentials for r.io\n", "logout r.io")
	d.want("Not logged in to r.io\n", "logout r.io")
	d.refused(1, "unauthorized", "login -u u -p bad")
	d.refused(1, "cannot specify both", "login -u u -p x --password-stdin")
	d.refused(1, "requires --username", "login --password-stdin")
	d.refused(1, "asks nothing", "login -u u r.io")
	d.refused(1, "asks nothing", "login r.io")
	d.refused(1, "password is empty", "login", "-u", "u", "-p", "")
	d.stdin = "\n"
	d.refused(1, "password is empty", "login -u u --password-stdin")
}

func TestUnknownCommands(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.refused(1, `docker: "run" is not available in a run; supported: build, pull, push`, "run busybox")
	d.refused(1, `"compose" is not available`, "compose up")
	d.refused(1, `"buildx create" is not available`, "buildx create --use")
	d.refused(125, "unknown shorthand flag", "-H tcp://x pull y")
	d.must("--config /tmp/x -l debug pull -q busybox")
	for _, words := range []string{"", "--help", "manifest", "pull --help", "manifest create -h"} {
		if out := d.must(strings.Fields(words)...); !strings.Contains(out, "Usage:  docker") {
			t.Errorf("docker %s printed %q", words, out)
		}
	}
	if out := d.must("--version"); !strings.HasPrefix(out, "Docker version") || !strings.Contains(out, "Drydock") {
		t.Errorf("--version printed %q", out)
	}
	if out := d.must("version"); !strings.Contains(out, "Server: none") {
		t.Errorf("version printed %q", out)
	}
	d.refused(1, "not supported", "version --format {{.Server.Version}}")
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	d := setup(t)
	cause := errors.New("the run was stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	d.store.fail = context.Canceled
	err := d.client.Run(ctx, dockercmd.Invocation{Args: []string{"pull", "busybox"}})
	if !errors.Is(err, cause) {
		t.Errorf("got %v, want the cause", err)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestOutputFails(t *testing.T) {
	t.Parallel()
	d := setup(t)
	var errOut bytes.Buffer
	err := d.client.Run(t.Context(), dockercmd.Invocation{Args: []string{"--version"}, Stdout: brokenPipe{}, Stderr: &errOut})
	var exit *drydock.ExitError
	if !errors.As(err, &exit) || !strings.Contains(errOut.String(), "broken pipe") {
		t.Errorf("got %v, %q", err, errOut.String())
	}
}
