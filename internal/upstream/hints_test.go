package upstream_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/upstream"
)

// deliveries returns the deliveries of the archive by their names, with the
// header in them, and what is wanted of each.
func deliveries(t testing.TB) (bodies map[string][]byte, wants map[string]string) {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/hints.txtar")
	if err != nil {
		t.Fatal(err)
	}
	bodies, wants = map[string][]byte{}, map[string]string{}
	for _, f := range archive.Files {
		if name, ok := strings.CutSuffix(f.Name, ".json"); ok {
			bodies[name] = f.Data
		} else {
			wants[strings.TrimSuffix(f.Name, ".want")] = string(f.Data)
		}
	}
	return bodies, wants
}

func TestHintsOfDeliveries(t *testing.T) {
	t.Parallel()
	bodies, wants := deliveries(t)
	if len(bodies) != len(wants) || len(bodies) < 15 {
		t.Fatalf("%d deliveries, %d results", len(bodies), len(wants))
	}
	for name, body := range bodies {
		_, event, _ := strings.Cut(name, "+")
		hints, err := upstream.Hints(event, body)
		var got strings.Builder
		for _, h := range hints {
			fmt.Fprintf(&got, "%s %s %s\n", h.Host, h.Repository, h.Tag)
		}
		if err != nil || got.String() != wants[name] {
			t.Errorf("%s: error %v, hints\n%swant\n%s", name, err, got.String(), wants[name])
		}
	}
}

func TestDeliveriesThatAreNone(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "null x", "[]", `"text"`, "{", `{"events": 7}`, `{"events": [{"target": "text"}]}`, `{"docker_url": "a/b", "updated_tags": 7}`} {
		if hints, err := upstream.Hints("", []byte(body)); err == nil {
			t.Errorf("%s: %v", body, hints)
		}
	}
}

func FuzzHints(f *testing.F) {
	bodies, _ := deliveries(f)
	for name, body := range bodies {
		_, event, _ := strings.Cut(name, "+")
		f.Add(event, body)
	}
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		hints, err := upstream.Hints(event, body)
		if err != nil && hints != nil {
			t.Fatal(hints, err)
		}
		for _, h := range hints {
			host := h.Host
			if host == "" {
				host = "r.example"
			}
			name := host + "/" + h.Repository
			if h.Tag != "" {
				name += ":" + h.Tag
			}
			n, err := drydock.ParseImageName(name)
			if err != nil || n.Registry != host || n.Repository != h.Repository || n.Pinned() {
				t.Fatalf("%+v is %v, error %v", h, n, err)
			}
		}
	})
}
