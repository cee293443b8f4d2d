package drydock_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
)

func TestResourceIDs(t *testing.T) {
	t.Parallel()
	const group = "/subscriptions/s/resourceGroups/g"
	for text, want := range map[string]struct{ id, kind, name, parent string }{
		"/subscriptions/s":                 {"", "Microsoft.Resources/subscriptions", "s", "/subscriptions/s"},
		"subscriptions/s/resourcegroups/g": {group, "Microsoft.Resources/resourceGroups", "g", "/subscriptions/s"},
		"/SUBSCRIPTIONS/s/RESOURCEGROUPS/g/PROVIDERS/N.s/registries/r/": {
			group + "/providers/N.s/registries/r", "N.s/registries", "r", group,
		},
		group + "/providers/N.s/registries/r/tasks/t": {
			"", "N.s/registries/tasks", "t", group + "/providers/N.s/registries/r",
		},
		"/subscriptions/s/providers/N.s/things/x": {"", "N.s/things", "x", "/subscriptions/s"},
	} {
		id, err := drydock.ParseResourceID(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if want.id == "" {
			want.id = text
		}
		got := []string{id.String(), id.Type(), id.Name(), id.Parent().String()}
		if d := cmp.Diff([]string{want.id, want.kind, want.name, want.parent}, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
	for _, text := range []string{
		"", "/", "x", "/subscriptions", "/subscriptions/", "/subscriptions//resourceGroups/g", "/sub/s",
		"/subscriptions/s/resourceGroups", "/subscriptions/s/other/g", group + "/x/y",
		group + "/providers/N.s", group + "/providers/N.s/registries", group + "/providers/N.s/registries//tasks/t",
	} {
		if id, err := drydock.ParseResourceID(text); drydock.CodeOf(err) != drydock.Invalid {
			t.Errorf("%q: %v, %v", text, id, err)
		}
	}
}

func TestResourceIDUnder(t *testing.T) {
	t.Parallel()
	for text, parent := range map[string]string{
		"/subscriptions/s/resourceGroups/G":                               "/subscriptions/S",
		"/subscriptions/s/resourceGroups/g/providers/N/registries/R":      "/subscriptions/S/resourceGroups/G",
		"/subscriptions/s/providers/N/things/X":                           "/subscriptions/S",
		"/subscriptions/s/resourceGroups/g/providers/n/registries/r/as/A": "/subscriptions/S/resourceGroups/G/providers/N/registries/R",
	} {
		id, err := drydock.ParseResourceID(text)
		if err != nil {
			t.Fatal(err)
		}
		p, err := drydock.ParseResourceID(parent)
		if err != nil {
			t.Fatal(err)
		}
		got := id.Under(p)
		if want := parent + text[len(parent):]; got.String() != want {
			t.Errorf("%s under %s is %s", text, parent, got)
		}
		if p.String() != parent {
			t.Errorf("%s has become %s", parent, p)
		}
	}
}

func FuzzParseResourceID(f *testing.F) {
	for _, seed := range []string{
		"/subscriptions/s", "/subscriptions/s/resourceGroups/g",
		"/subscriptions/s/resourceGroups/g/providers/N/registries/r/tasks/t", "/subscriptions/s/providers/N/a/b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := drydock.ParseResourceID(text)
		if err != nil {
			return
		}
		again, err := drydock.ParseResourceID(id.String())
		if err != nil || !cmp.Equal(id, again) {
			t.Errorf("%q is %v, which reads as %v, %v", text, id, again, err)
		}
		if id.Key() != strings.ToLower(id.String()) || id.Name() == "" {
			t.Errorf("%q has key %q and name %q", text, id.Key(), id.Name())
		}
		for p := id; p.Parent().Key() != p.Key(); p = p.Parent() {
			if !strings.HasPrefix(p.Key(), p.Parent().Key()) {
				t.Errorf("%s is not below %s", p, p.Parent())
			}
		}
	})
}
