package dockercmd_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
)

func TestBuild(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.env = []string{"DOCKER_DEFAULT_PLATFORM=linux/ARM64"}
	for _, words := range []string{
		"build -t r.io/a:1 .", "buildx build -t r.io/a:1 .", "image build -t r.io/a:1 .", "builder build -t r.io/a:1 .", "buildx b -t r.io/a:1 .",
	} {
		out, errOut, status := d.try(words)
		if out != "" || errOut != "#1 building\n" || status != 0 {
			t.Errorf("docker %s: status %d, %q, %q", words, status, out, errOut)
		}
	}
	for _, b := range d.store.builds {
		if b.Context != "." || !cmp.Equal(b.Tags, []string{"r.io/a:1"}) || !cmp.Equal(b.Platforms, []string{"linux/arm64"}) {
			t.Errorf("built %+v", b)
		}
	}
	d.must("build --platform linux/amd64 .")
	if got := d.store.builds[len(d.store.builds)-1].Platforms; !cmp.Equal(got, []string{"linux/amd64"}) {
		t.Errorf("--platform is weaker than the environment: %v", got)
	}
	d.want(digest.FromString("built").String()+"\n", "build -q .")
}

func TestBuildRefused(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.refused(1, "Dockerfile:3: unknown instruction", "build broken")
	d.refused(125, "docker build: ", "build --nosuch .")
	d.refused(125, "docker build: ", "build")
}

func TestBuildWarns(t *testing.T) {
	t.Parallel()
	d := setup(t)
	_, errOut, status := d.try("build --isolation=hyperv .")
	if status != 0 || !strings.Contains(errOut, "WARNING: ") {
		t.Errorf("status %d, %q", status, errOut)
	}
}
