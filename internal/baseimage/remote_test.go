package baseimage_test

import (
	"slices"
	"testing"

	"github.com/drydockhq/drydock"
)

// parse returns the trigger of a run.
func parse(t *testing.T, r drydock.RunRecord) drydock.RunTrigger {
	t.Helper()
	trigger, err := drydock.ParseRunTrigger(r.Trigger)
	if err != nil {
		t.Fatal(err)
	}
	return trigger
}

const hub = "registry.example/node"

func TestOtherRegistries(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.task("app", drydock.RuntimeImages)
	s.learn("app", built{from: hub + "=a"})
	s.poll(hub, "a")
	s.settle()
	s.want("app")
	s.poll(hub, "b")
	s.settle()
	s.want("app", "Queued "+hub+":a→b")
	s.end(s.last("app"), succeeded, built{from: hub + "=b"})
	s.poll(hub, "")
	s.settle()
	s.poll(hub, "b")
	s.settle()
	s.want("app", "Succeeded "+hub+":a→b")
	s.poll(hub, "a")
	s.settle()
	s.want("app", "Succeeded "+hub+":a→b", "Queued "+hub+":b→a")
}

// A run sees a change before the next poll does: the poll, which is asked for,
// makes nothing due. Others become due by it.
func TestRunSeesChangeFirst(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, name := range []string{"app", "other"} {
		s.task(name, drydock.RuntimeImages)
		s.learn(name, built{from: hub + "=a"})
	}
	s.learn("app", built{from: hub + "=b"})
	s.want("app")
	if !slices.Contains(s.doubted, image(hub)) {
		t.Error("nobody was asked to look at the image")
	}
	s.poll(hub, "b")
	s.settle()
	s.want("app")
	s.want("other", "Queued "+hub+":a→b")
	s.poll(hub, "a")
	s.settle()
	s.want("app", "Queued "+hub+":b→a")
}

// A registry that says one thing to polls and another to runs makes no endless
// runs.
func TestTwoFacedRegistry(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.task("app", drydock.RuntimeImages)
	s.learn("app", built{from: hub + "=a"})
	s.poll(hub, "b")
	s.settle()
	for range 3 {
		for _, r := range s.runs("app") {
			if !r.Status.Ended() {
				s.end(r, succeeded, built{from: hub + "=x"})
			}
		}
		s.settle()
	}
	s.want("app", "Succeeded "+hub+":a→b")
	s.poll(hub, "c")
	s.settle()
	s.want("app", "Succeeded "+hub+":a→b", "Queued "+hub+":x→c")
}

// What was known of an image that nobody watches any more says nothing.
func TestImageThatNobodyWatched(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.task("app", drydock.RuntimeImages)
	s.learn("app", built{from: hub + "=a"})
	s.learn("app", built{from: "base"})
	s.task("late", drydock.RuntimeImages)
	s.learn("late", built{from: hub + "=b"})
	s.want("late")
	s.poll(hub, "c")
	s.settle()
	s.want("late", "Queued "+hub+":b→c")
	s.want("app")
}

// Of the first that a poll says of an image nobody knows whether it is a change.
func TestFirstObservation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.task("app", drydock.RuntimeImages)
	s.settle()
	s.must(s.store.PutTaskImages(t.Context(), drydock.TaskImages{
		Task: taskID("app"), Trigger: drydock.RuntimeImages,
		Bases: []drydock.BaseImage{{Image: image(hub), Kind: drydock.RuntimeBase}},
	}))
	s.poll(hub, "a")
	s.settle()
	s.want("app")
	s.poll(hub, "b")
	s.settle()
	s.want("app", "Queued "+hub+":a→b")
}
