package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
)

var imagePollTests = map[string]func(*testing.T, Store){
	"kept":     imagePollKept,
	"together": imagePollTogether,
	"pauses":   registryPauses,
	"watched":  imagesWatched,
}

func imagePollKept(t *testing.T, s Store) {
	image := drydock.ImageName{Registry: "docker.io", Repository: "library/node", Tag: "15-alpine"}
	_, err := s.ImagePoll(t.Context(), image)
	wantCode(t, "an image of which nothing is known", err, drydock.NotFound)
	check(t, s.DeleteImagePoll(t.Context(), image))

	first := drydock.ImagePoll{Image: image, Next: day}
	second := drydock.ImagePoll{
		Image:  drydock.ImageName{Registry: "docker.io", Repository: "library/node", Tag: "15"},
		Digest: "sha256:1", Validator: `W/"a"`, Checked: day, Changed: day.Add(-time.Hour), Next: day.Add(time.Hour),
		Failures: 2, Problem: "it answers with 503",
	}
	third := drydock.ImagePoll{Image: drydock.ImageName{Registry: "a.example:5000", Repository: "z", Tag: "t"}, Next: day}
	for _, p := range []drydock.ImagePoll{first, second, third} {
		check(t, s.PutImagePoll(t.Context(), p))
	}
	all, err := s.ImagePolls(t.Context())
	check(t, err)
	same(t, "all", all, []drydock.ImagePoll{third, second, first})

	second.Digest, second.Failures, second.Problem, second.Next = "", 0, "", time.Time{}
	check(t, s.PutImagePoll(t.Context(), second))
	got, err := s.ImagePoll(t.Context(), second.Image)
	check(t, err)
	same(t, "replaced", got, second)

	check(t, s.DeleteImagePoll(t.Context(), second.Image))
	all, err = s.ImagePolls(t.Context())
	check(t, err)
	same(t, "the others", all, []drydock.ImagePoll{third, first})
}

// What is known of an image and the event that tells of it are one.
func imagePollTogether(t *testing.T, s Store) {
	p := drydock.ImagePoll{Image: drydock.ImageName{Registry: "a.example", Repository: "b", Tag: "c"}, Digest: "sha256:1"}
	wrong := errors.New("wrong")
	err := s.Atomically(t.Context(), func(ctx context.Context) error {
		check(t, s.PutImagePoll(ctx, p))
		got, err := s.ImagePoll(ctx, p.Image)
		check(t, err)
		same(t, "within the transaction", got, p)
		_, err = s.AppendEvent(ctx, drydock.Event{ID: "e", Kind: drydock.ImageEvent})
		check(t, err)
		return wrong
	})
	if !errors.Is(err, wrong) {
		t.Fatal(err)
	}
	_, err = s.ImagePoll(t.Context(), p.Image)
	wantCode(t, "after a transaction that failed", err, drydock.NotFound)
	events, err := s.Events(t.Context(), 0, 10)
	check(t, err)
	same(t, "events", events, nil)
}

func registryPauses(t *testing.T, s Store) {
	hub := drydock.RegistryPause{Host: "docker.io", Until: day, Failures: 3, Reason: "it limits requests"}
	other := drydock.RegistryPause{Host: "a.example:5000", Until: day.Add(time.Minute)}
	check(t, s.PutRegistryPause(t.Context(), drydock.RegistryPause{Host: "docker.io"}))
	check(t, s.PutRegistryPause(t.Context(), hub))
	check(t, s.PutRegistryPause(t.Context(), other))
	hub.Until, hub.Failures = day.Add(time.Hour), 4
	check(t, s.PutRegistryPause(t.Context(), hub))
	all, err := s.RegistryPauses(t.Context())
	check(t, err)
	same(t, "all", all, []drydock.RegistryPause{other, hub})
	check(t, s.PutRegistryPause(t.Context(), drydock.RegistryPause{Host: "docker.io"}))
	all, err = s.RegistryPauses(t.Context())
	check(t, err)
	same(t, "after one has ended", all, []drydock.RegistryPause{other})
}

// A task watches what its trigger is for, whether that is held or not.
func imagesWatched(t *testing.T, s Store) {
	putRegistries(t, s)
	bases := func(names ...string) []drydock.BaseImage {
		var all []drydock.BaseImage
		for i, name := range names {
			image, err := drydock.ParseImageName(name)
			check(t, err)
			kind := drydock.RuntimeBase
			if i > 0 {
				kind = drydock.BuildTimeBase
			}
			all = append(all, drydock.BaseImage{Image: image, Kind: kind})
		}
		return all
	}
	pinned := "pinned@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for name, images := range map[string]drydock.TaskImages{
		"one":    {Trigger: drydock.AllImages, Bases: bases("node:15", "golang:1", pinned)},
		"two":    {Trigger: drydock.RuntimeImages, Bases: bases("node:15", "quay.io/tool:1")},
		"paused": {Trigger: drydock.RuntimeImages, Paused: true, Bases: bases("quay.io/held:1")},
		"off":    {Bases: bases("quay.io/off:1")},
	} {
		images.Task = registry.Child("tasks", name)
		put(t, s, drydock.Resource{ID: images.Task})
		check(t, s.PutTaskImages(t.Context(), images))
	}
	watched, err := s.WatchedImages(t.Context())
	check(t, err)
	var got []string
	for _, image := range watched {
		got = append(got, image.Familiar())
	}
	same(t, "watched images", got, []string{"golang:1", "node:15", "quay.io/held:1"})
	for image, want := range map[string][]string{"node:15": {"one", "two"}, "golang:1": {"one"}, "quay.io/tool:1": nil} {
		name, err := drydock.ParseImageName(image)
		check(t, err)
		tasks, err := s.ImageWatchers(t.Context(), name)
		check(t, err)
		var got []string
		for _, task := range tasks {
			got = append(got, task.Name())
		}
		same(t, "tasks that watch "+image, got, want)
	}
}
