package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
)

var taskImageTests = map[string]func(*testing.T, Store){
	"kept":        taskImagesKept,
	"of tasks":    taskImagesOfTasks,
	"to read":     taskImagesToRead,
	"graph":       taskImagesGraph,
	"states":      imageStates,
	"by digest":   imagesByDigest,
	"forgotten":   imagesForgotten,
	"due":         imagesDue,
	"counting":    imagesCounting,
	"settled":     imagesSettled,
	"expected":    imagesExpected,
	"not a tag":   imagesPinned,
	"many":        imagesMany,
	"rolled back": imagesRolledBack,
}

// imageName parses a name that a test has made up.
func imageName(s string) drydock.ImageName {
	name, err := drydock.ParseImageName(s)
	if err != nil {
		panic(err)
	}
	return name
}

// putTask makes a task that is built from images: NAME=DIGEST, where the digest
// is a word, the first of them its runtime base.
func putTask(t *testing.T, s Store, name string, change func(*drydock.TaskImages), bases ...string) drydock.ResourceID {
	t.Helper()
	task := registry.Child("tasks", name)
	put(t, s, drydock.Resource{ID: task})
	images := drydock.TaskImages{Task: task, Trigger: drydock.AllImages, Bases: basesOf(bases...)}
	if change != nil {
		change(&images)
	}
	check(t, s.PutTaskImages(t.Context(), images))
	return task
}

func basesOf(names ...string) []drydock.BaseImage {
	var all []drydock.BaseImage
	for i, name := range names {
		b := drydock.BaseImage{Kind: drydock.RuntimeBase}
		if i > 0 {
			b.Kind = drydock.BuildTimeBase
		}
		if image, word, ok := strings.Cut(name, "="); ok {
			name, b.Digest = image, digestOf(word)
		}
		b.Image = imageName(name)
		all = append(all, b)
	}
	return all
}

// point says what a tag points at, since the event with a number.
func point(t *testing.T, s Store, name, word string, event int64) bool {
	t.Helper()
	state := drydock.ImageState{Image: imageName(name), Event: event, Root: event, Changed: day}
	if word != "" {
		state.Digest = digestOf(word)
	}
	watched, err := s.PutImageState(t.Context(), state)
	check(t, err)
	return watched
}

// wantDueTasks checks which tasks are due: a text for each, as "task image@since".
func wantDueTasks(t *testing.T, s Store, what string, want ...string) {
	t.Helper()
	due, err := s.DueTasks(t.Context())
	check(t, err)
	var got []string
	for _, d := range due {
		text := d.Task.Name()
		for _, i := range d.Images {
			text += fmt.Sprintf(" %s@%d", i.Now.Image.Familiar(), i.Base.Since)
		}
		got = append(got, text)
	}
	same(t, what, got, want)
}

func taskImagesKept(t *testing.T, s Store) {
	putRegistries(t, s)
	task := registry.Child("tasks", "App")
	put(t, s, drydock.Resource{ID: task})
	want := drydock.TaskImages{
		Task: task, Bases: basesOf("a:1=x", "b:1=y"), Outputs: []drydock.ImageName{imageName("quay.io/out:1"), imageName("quay.io/out:2")},
		Learnt: 1, Outdated: 2, Ended: 3, Reading: true, ReadFor: "definition", Armed: day, Problem: "a problem",
		Trigger: drydock.RuntimeImages, Paused: true,
	}
	want.Bases[1].Before, want.Bases[1].Built = digestOf("z"), digestOf("w")
	check(t, s.PutTaskImages(t.Context(), want))
	got, err := s.TaskImages(t.Context(), mustID(task.Key()))
	check(t, err)
	same(t, "read", got, []drydock.TaskImages{want})

	want = drydock.TaskImages{Task: task, Bases: basesOf("c:1")}
	check(t, s.PutTaskImages(t.Context(), want))
	got, err = s.TaskImages(t.Context(), task)
	check(t, err)
	same(t, "replaced", got, []drydock.TaskImages{want})

	check(t, s.DeleteResource(t.Context(), task))
	all, err := s.RegistryImages(t.Context(), drydock.ResourceID{})
	check(t, err)
	same(t, "with the task gone", all, nil)
	wantCode(t, "of a task that is gone", s.PutTaskImages(t.Context(), want), drydock.NotFound)
	wantCode(t, "an output of a task that is gone", s.AddOutput(t.Context(), task, imageName("x")), drydock.NotFound)
}

func taskImagesOfTasks(t *testing.T, s Store) {
	putRegistries(t, s)
	one := putTask(t, s, "one", nil, "a:1")
	two := putTask(t, s, "two", nil, "b:1", "a:1")
	elsewhere := other.Child("tasks", "one")
	put(t, s, drydock.Resource{ID: elsewhere})
	check(t, s.PutTaskImages(t.Context(), drydock.TaskImages{Task: elsewhere, Bases: basesOf("a:1")}))
	names := func(all []drydock.TaskImages) (names []string) {
		for _, images := range all {
			names = append(names, images.Task.Parent().Name()+"/"+images.Task.Name()+fmt.Sprint(len(images.Bases)))
		}
		return names
	}
	none := registry.Child("tasks", "none")
	got, err := s.TaskImages(t.Context(), two, none, elsewhere, one)
	check(t, err)
	same(t, "in the order asked for", names(got), []string{"contoso/two2", "contoso/none0", "Fabrikam/one1", "contoso/one1"})
	got, err = s.RegistryImages(t.Context(), registry)
	check(t, err)
	same(t, "of a registry", names(got), []string{"contoso/one1", "contoso/two2"})
	got, err = s.RegistryImages(t.Context(), drydock.ResourceID{})
	check(t, err)
	same(t, "of all", names(got), []string{"contoso/one1", "contoso/two2", "Fabrikam/one1"})
}

func taskImagesToRead(t *testing.T, s Store) {
	putRegistries(t, s)
	for name, change := range map[string]func(*drydock.TaskImages){
		"reading":      func(i *drydock.TaskImages) { i.Reading, i.Armed = true, day },
		"fine":         func(i *drydock.TaskImages) { i.Armed = day },
		"trouble":      func(i *drydock.TaskImages) { i.Armed, i.Problem = day, "p" },
		"late trouble": func(i *drydock.TaskImages) { i.Armed, i.Problem = day.Add(time.Hour), "p" },
		"has run":      func(i *drydock.TaskImages) { i.Armed, i.Problem, i.Learnt = day, "p", 2 },
		"ran before":   func(i *drydock.TaskImages) { i.Armed, i.Problem, i.Learnt, i.Outdated = day.Add(1), "p", 2, 3 },
	} {
		putTask(t, s, name, change)
	}
	found, err := s.TasksToRead(t.Context(), day.Add(time.Minute))
	check(t, err)
	var got []string
	for _, task := range found {
		got = append(got, task.Name())
	}
	same(t, "to read", got, []string{"reading", "trouble", "ran before"})
}

func taskImagesGraph(t *testing.T, s Store) {
	putRegistries(t, s)
	pushes := func(names ...string) func(*drydock.TaskImages) {
		return func(i *drydock.TaskImages) {
			for _, name := range names {
				i.Outputs = append(i.Outputs, imageName(name))
			}
		}
	}
	middle := putTask(t, s, "middle", pushes("quay.io/m:1", "quay.io/m:2"), "base:1")
	second := putTask(t, s, "second", pushes("quay.io/m:2"), "base:1")
	app := putTask(t, s, "app", func(i *drydock.TaskImages) { i.Trigger = drydock.RuntimeImages }, "quay.io/m:1", "quay.io/m:2")
	loop := putTask(t, s, "loop", pushes("quay.io/loop:1"), "quay.io/loop:1")
	check(t, s.AddOutput(t.Context(), second, imageName("quay.io/m:2"))) // known already
	check(t, s.AddOutput(t.Context(), second, imageName("quay.io/new:1")))

	found, err := s.Foundations(t.Context(), app, loop, middle)
	check(t, err)
	same(t, "foundations", found, []drydock.Foundation{
		{Task: app, On: middle, Counts: true}, {Task: app, On: second}, {Task: loop, On: loop, Counts: true},
	})
	producers, err := s.Producers(t.Context(), imageName("quay.io/m:1"), imageName("quay.io/m:2"), imageName("quay.io/new:1"), imageName("base:1"))
	check(t, err)
	same(t, "producers", producers, map[drydock.ImageName][]drydock.ResourceID{
		imageName("quay.io/m:1"): {middle}, imageName("quay.io/m:2"): {middle, second}, imageName("quay.io/new:1"): {second},
	})
}

func imageStates(t *testing.T, s Store) {
	putRegistries(t, s)
	if point(t, s, "base:1", "a", 1) {
		t.Error("an image that nobody is built from is watched")
	}
	putTask(t, s, "app", nil, "base:1=a", "localhost:5000/tool:1")
	want := drydock.ImageState{
		Image: imageName("base:1"), Digest: digestOf("b"), Previous: digestOf("a"), Event: 3, Changed: day, Root: 2,
		Run: registry.Child("runs", "ca1"),
	}
	watched, err := s.PutImageState(t.Context(), want)
	check(t, err)
	if !watched {
		t.Error("an image that somebody is built from is not watched")
	}
	got, err := s.ImageStates(t.Context(), imageName("base:1"), imageName("localhost:5000/tool:1"))
	check(t, err)
	same(t, "states", got, map[drydock.ImageName]drydock.ImageState{want.Image: want})
	got, err = s.ImageStates(t.Context())
	check(t, err)
	same(t, "of none", got, map[drydock.ImageName]drydock.ImageState{})
}

func imagesByDigest(t *testing.T, s Store) {
	putRegistries(t, s)
	putTask(t, s, "app", nil, "quay.io/a:1", "quay.io/a:2", "quay.io/a:3", "quay.io/a/b:1", "quay.io/ab:1")
	for _, name := range []string{"quay.io/a:1", "quay.io/a:2", "quay.io/a/b:1", "quay.io/ab:1"} {
		point(t, s, name, "x", 1)
	}
	point(t, s, "quay.io/a:3", "y", 1)
	found, err := s.ImagesWithDigest(t.Context(), "quay.io", "a", digestOf("x"))
	check(t, err)
	same(t, "tags", found, []drydock.ImageName{imageName("quay.io/a:1"), imageName("quay.io/a:2")})
}

// What was known of an image that nobody was built from for a while may be old.
func imagesForgotten(t *testing.T, s Store) {
	putRegistries(t, s)
	task := putTask(t, s, "app", nil, "base:1=a")
	point(t, s, "base:1", "a", 1)
	check(t, s.PutTaskImages(t.Context(), drydock.TaskImages{Task: task, Trigger: drydock.AllImages, Bases: basesOf("base:1=a", "x:1")}))
	known := func(what string, want int) {
		t.Helper()
		states, err := s.ImageStates(t.Context(), imageName("base:1"))
		check(t, err)
		if len(states) != want {
			t.Errorf("%s, the states are %v", what, states)
		}
	}
	known("while it is watched", 1)
	check(t, s.PutTaskImages(t.Context(), drydock.TaskImages{Task: task, Trigger: drydock.AllImages}))
	putTask(t, s, "later", nil, "base:1=b")
	known("when it is watched again", 0)
	wantDueTasks(t, s, "due")
}

func imagesRolledBack(t *testing.T, s Store) {
	putRegistries(t, s)
	putTask(t, s, "app", nil, "base:1=a")
	wrong := errors.New("wrong")
	err := s.Atomically(t.Context(), func(ctx context.Context) error {
		_, err := s.PutImageState(ctx, drydock.ImageState{Image: imageName("base:1"), Digest: digestOf("b"), Root: 5})
		if err != nil {
			return err
		}
		due, err := s.DueTasks(ctx)
		if err != nil || len(due) != 1 {
			t.Errorf("within the transaction %v are due, %v", due, err)
		}
		return wrong
	})
	if !errors.Is(err, wrong) {
		t.Fatal(err)
	}
	wantDueTasks(t, s, "after it was rolled back")
}
