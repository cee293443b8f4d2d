package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/gotool"
)

// TestMain lets the test program be the stock registry that it starts.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "-serve-registry" {
		if err := serveRegistry(os.Args[2], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestShort measures in the short form, which says nothing of Drydock but that
// the program can be relied on when somebody wants to know.
func TestShort(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	drydockd, err := gotool.Drydockd(t.Context(), root, bin)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"buildkitd", "buildctl"} {
		dir, pkg := filepath.Join(root, "test", "bench", "stock"), "github.com/moby/buildkit/cmd/"+name
		if err := gotool.Build(t.Context(), dir, filepath.Join(bin, name), pkg); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	err = run(t.Context(), []string{
		"-short", "-example", filepath.Join(root, "examples/gated-import/import-baseimage-node"),
		"-drydockd", drydockd,
		"-buildkitd", filepath.Join(bin, "buildkitd"), "-buildctl", filepath.Join(bin, "buildctl"),
	}, &out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{
		"one more step", "so many more steps", "its push", "with a RUN", "cached as a whole",
		"has the layers", "an empty registry", "start to first step", "size at rest",
		"later start", "drydock acr build", "p99", "push of an image", "pull of an image", "carried out", "issued to programs", "token is checked",
		"reads", "first answer of the new page",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no %q in\n%s", want, out.String())
		}
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), "/drydock-bench-") {
		t.Errorf("something is still mounted:\n%s", mounts)
	}
	groups, err := filepath.Glob(fmt.Sprintf("/sys/fs/cgroup/*/drydock-bench-%d*", os.Getpid()))
	if err != nil || len(groups) > 0 {
		t.Errorf("there are still control groups %v, %v", groups, err)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{"-rounds", "7", "-only", "gated"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if o.size.rounds != 7 || o.size.steps != long().steps || o.only != "gated" {
		t.Errorf("the options are %+v", o)
	}
	if o, err = parse([]string{"-short"}, io.Discard); err != nil || o.size != short() {
		t.Errorf("the options are %+v, %v", o, err)
	}
	if _, err = parse([]string{"-fast"}, io.Discard); err == nil {
		t.Error("an unknown flag was taken")
	}
}
