package images_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
)

func TestPush(t *testing.T) {
	t.Parallel()
	r := registry.Start(t, registry.Options{})
	err := images.Push(t.Context(), r.Host, images.Busybox, images.Node, "multi=team/base:1.0", "busybox=library/busybox")
	if err != nil {
		t.Fatal(err)
	}
	busybox := digest(t, get(t, shared(t), images.Busybox))
	index, err := images.Index(t.Context(), images.Multi)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, ref := range []string{"busybox:latest", "library/busybox:latest", "node:15-alpine", "team/base:1.0"} {
		if got[ref], err = r.Digest(ref); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{
		"busybox:latest":         busybox,
		"library/busybox:latest": busybox,
		"node:15-alpine":         digest(t, get(t, shared(t), images.Node)),
		"team/base:1.0":          digest(t, index),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pushed (-want +got):\n%s", diff)
	}
}

func TestPushWithCredentials(t *testing.T) {
	t.Parallel()
	r := registry.Start(t, registry.Options{Users: map[string]string{"ann": "s3cret"}})
	if err := shared(t).Push(t.Context(), r.Host, []string{images.HelloWorld}); err == nil {
		t.Error("pushed without credentials")
	}
	auth := remote.WithAuth(&authn.Basic{Username: "ann", Password: "s3cret"})
	if err := shared(t).Push(t.Context(), r.Host, []string{images.HelloWorld}, auth); err != nil {
		t.Error(err)
	}
}

func TestPushErrors(t *testing.T) {
	t.Parallel()
	r := registry.Start(t, registry.Options{})
	for _, name := range []string{"nginx", "busybox=Not A Name", "busybox="} {
		if err := images.Push(t.Context(), r.Host, name); err == nil {
			t.Errorf("pushed %q", name)
		}
	}
}
