package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/gotool"
)

// TestShort measures in the short form, which says nothing of Drydock but that
// the program can be relied on when somebody wants to know.
func TestShort(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	stock := filepath.Join(root, "test", "bench", "stock")
	for name, from := range map[string][2]string{
		"drydockd":  {root, "./cmd/drydockd"},
		"buildkitd": {stock, "github.com/moby/buildkit/cmd/buildkitd"},
		"buildctl":  {stock, "github.com/moby/buildkit/cmd/buildctl"},
	} {
		if err := gotool.Build(t.Context(), from[0], filepath.Join(bin, name), from[1]); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	err = run(t.Context(), []string{
		"-short", "-example", filepath.Join(root, "examples/gated-import/import-baseimage-node"),
		"-drydockd", filepath.Join(bin, "drydockd"),
		"-buildkitd", filepath.Join(bin, "buildkitd"), "-buildctl", filepath.Join(bin, "buildctl"),
	}, &out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{
		"one more step", "so many more steps", "its push", "with a RUN", "cached as a whole",
		"has the layers", "an empty registry", "start to first step", "size at rest",
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
