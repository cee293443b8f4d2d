package main

import (
	"os"
	"testing"

	"github.com/drydockhq/drydock/test/gotool"
)

// The demo checks itself that the registry holds what the tasks promise.
func TestDemo(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Fatal("containers need root: run the tests with `make test`")
	}
	drydockd, err := gotool.Drydockd(t.Context(), "../..", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	drydock, err := gotool.Drydock(t.Context(), "../..", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d, err := open(t.Context(), programs{drydockd, drydock}, "../../examples/gated-import")
	if err != nil {
		t.Fatal(err)
	}
	playErr := d.play(t.Context())
	if err := d.close(); err != nil {
		t.Error(err)
	}
	if playErr != nil {
		t.Fatal(playErr)
	}
	if !d.real {
		t.Error("it ran without Node")
	}
	if left, err := os.Stat(d.dir); err == nil {
		t.Errorf("%s was left behind", left.Name())
	}
}
