package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/gotool"
	"github.com/drydockhq/drydock/test/serve"
)

// The demo ends with a page that can be looked at while it waits, says where that
// is, and leaves nothing behind.
func TestDemo(t *testing.T) {
	t.Parallel()
	drydockd, err := gotool.Drydockd(t.Context(), "../..", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	drydock, err := gotool.Drydock(t.Context(), "../..", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d, err := open()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	waited := false
	d.out = &said
	d.wait = func(ctx context.Context) {
		waited = true
		if page, err := serve.Page(ctx, d.page); err != nil || !strings.Contains(page, "Green") {
			t.Errorf("the page: %v\n%s", err, page)
		}
	}
	playErr := d.play(t.Context(), programs{drydockd, drydock}, "../../examples/public-content")
	if err := d.close(); err != nil {
		t.Error(err)
	}
	if playErr != nil {
		t.Fatal(playErr, "\n", said.String())
	}
	for _, text := range []string{"http://" + d.page + "/", "What to try next", "== The public commits Red", "ERROR: Invalid Color:"} {
		if !strings.Contains(said.String(), text) {
			t.Errorf("it does not say %q:\n%s", text, said.String())
		}
	}
	if !waited {
		t.Error("nobody could look at the page")
	}
	if left, err := os.Stat(d.dir); err == nil {
		t.Errorf("%s was left behind", left.Name())
	}
}
