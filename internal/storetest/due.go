package storetest

import (
	"fmt"
	"testing"

	"github.com/drydockhq/drydock"
)

func imagesDue(t *testing.T, s Store) {
	putRegistries(t, s)
	putTask(t, s, "one", nil, "base:1=a", "tool:1=x")
	putTask(t, s, "two", nil, "base:1=b")
	wantDueTasks(t, s, "while nothing is known")
	point(t, s, "base:1", "a", 5)
	wantDueTasks(t, s, "one stands on what is there", "two base:1@5")
	point(t, s, "base:1", "b", 6)
	wantDueTasks(t, s, "and the other", "one base:1@6")
	point(t, s, "base:1", "c", 7)
	point(t, s, "tool:1", "y", 8)
	wantDueTasks(t, s, "since the first change", "one base:1@6 tool:1@8", "two base:1@7")
	point(t, s, "base:1", "", 9)
	wantDueTasks(t, s, "with the tag gone", "one tool:1@8")
	point(t, s, "base:1", "b", 10)
	wantDueTasks(t, s, "and there again", "one tool:1@8 base:1@10") // the images of a task, oldest change first
	due, err := s.DueTasks(t.Context(), registry.Child("tasks", "one"), registry.Child("tasks", "two"))
	check(t, err)
	overtaken := due[0]
	overtaken.Newest++
	for _, c := range []struct {
		task drydock.DueTask
		want bool
	}{{due[0], true}, {overtaken, false}, {drydock.DueTask{Task: registry.Child("tasks", "two")}, false}} {
		still, err := s.StillDue(t.Context(), c.task, c.task)
		check(t, err)
		if still[0] != c.want || still[1] != c.want {
			t.Errorf("task %s is still due: %v", c.task.Task.Name(), still)
		}
	}
	if len(due) != 1 || len(due[0].Images) != 2 || due[0].Images[0].Base.Kind == "" || due[0].Images[0].Now.Digest == "" {
		t.Errorf("of some tasks %+v are due", due)
	}
}

// A trigger that counts other images, or none for now, makes others due.
func imagesCounting(t *testing.T, s Store) {
	putRegistries(t, s)
	images := drydock.TaskImages{Task: putTask(t, s, "app", nil, "base:1=a", "tool:1=x"), Bases: basesOf("base:1=a", "tool:1=x")}
	point(t, s, "tool:1", "y", 4)
	for _, c := range []struct {
		what   string
		change func()
		want   []string
	}{
		{"all", func() { images.Trigger = drydock.AllImages }, []string{"app tool:1@4"}},
		{"the runtime base", func() { images.Trigger = drydock.RuntimeImages }, nil},
		{"none", func() { images.Trigger = "" }, nil},
		{"all again", func() { images.Trigger = drydock.AllImages }, []string{"app tool:1@4"}},
		{"paused", func() { images.Paused = true }, nil},
		{"going on", func() { images.Paused = false }, []string{"app tool:1@4"}},
		{"reading", func() { images.Reading = true }, nil},
	} {
		c.change()
		check(t, s.PutTaskImages(t.Context(), images))
		wantDueTasks(t, s, c.what, c.want...)
	}
	images.Reading = false
	check(t, s.PutTaskImages(t.Context(), images))
	for _, paused := range []bool{true, true, false} {
		check(t, s.PauseTasks(t.Context(), other, !paused))
		check(t, s.PauseTasks(t.Context(), mustID(registry.Key()), paused))
		want := []string{"app tool:1@4"}
		if paused {
			want = nil
		}
		wantDueTasks(t, s, fmt.Sprint("the registry is paused: ", paused), want...)
	}
	got, err := s.TaskImages(t.Context(), images.Task)
	check(t, err)
	if got[0].Paused {
		t.Error("the task is paused still")
	}
}

// A new run of a task brings it to what there is, unless it is altered.
func imagesSettled(t *testing.T, s Store) {
	putRegistries(t, s)
	for _, name := range []string{"one", "two", "three", "four"} {
		putTask(t, s, name, nil, "base:1=a", "tool:1=x")
	}
	point(t, s, "base:1", "b", 4)
	point(t, s, "tool:1", "y", 5)
	altered := create(t, s, drydock.RunRecord{Registry: registry, Task: "one", Altered: true})
	wantDueTasks(t, s, "after an altered run", "four base:1@4 tool:1@5", "one base:1@4 tool:1@5", "three base:1@4 tool:1@5", "two base:1@4 tool:1@5")
	_, err := s.CreateRuns(t.Context(), []drydock.RunRecord{
		{Registry: registry, Task: "ONE"}, {Registry: registry, Task: "two"}, {Registry: other, Task: "three"}, {Registry: registry},
	})
	check(t, err)
	wantDueTasks(t, s, "after runs of two", "four base:1@4 tool:1@5", "three base:1@4 tool:1@5")
	check(t, s.SettleImages(t.Context(), registry.Child("tasks", "three"), imageName("base:1")))
	check(t, s.Settle(t.Context(), registry.Child("tasks", "four")))
	wantDueTasks(t, s, "settled", "three tool:1@5")
	got, err := s.TaskImages(t.Context(), registry.Child("tasks", "one"))
	check(t, err)
	same(t, "bases", got[0].Bases, basesOf("base:1=b", "tool:1=y"))

	point(t, s, "base:1", "c", 6)
	due, err := s.DueTasks(t.Context(), registry.Child("tasks", "one"))
	check(t, err)
	if len(due) != 1 || due[0].Newest != altered.Number+1 {
		t.Errorf("due is %+v", due)
	}
	// What is gone doesn't unsettle.
	point(t, s, "base:1", "", 7)
	check(t, s.Settle(t.Context(), registry.Child("tasks", "one")))
	point(t, s, "base:1", "b", 8)
	wantDueTasks(t, s, "with the tag there again", "three tool:1@5")
}

// A run that resolved something else than the tag was known to be doesn't make
// its task due, before the tag is known to have changed.
func imagesExpected(t *testing.T, s Store) {
	putRegistries(t, s)
	task := putTask(t, s, "app", nil, "base:1=a")
	stands := func(on, expected string) {
		t.Helper()
		bases := basesOf("base:1=" + on)
		if expected != "" {
			bases[0].Before = digestOf(expected)
		}
		check(t, s.PutTaskImages(t.Context(), drydock.TaskImages{Task: task, Trigger: drydock.AllImages, Bases: bases}))
	}
	point(t, s, "base:1", "a", 4)
	stands("b", "a")
	wantDueTasks(t, s, "as it was expected")
	point(t, s, "base:1", "b", 5)
	wantDueTasks(t, s, "as it was resolved")
	point(t, s, "base:1", "a", 6)
	wantDueTasks(t, s, "as it was before", "app base:1@6")

	stands("b", "a")
	wantDueTasks(t, s, "as expected again")
	point(t, s, "base:1", "c", 7)
	wantDueTasks(t, s, "something else", "app base:1@7")
	point(t, s, "base:1", "a", 8)
	wantDueTasks(t, s, "what was expected once", "app base:1@7")
	check(t, s.Settle(t.Context(), task))
	wantDueTasks(t, s, "settled")
}

func imagesPinned(t *testing.T, s Store) {
	putRegistries(t, s)
	task := putTask(t, s, "app", nil, "base:1@"+digestOf("a"), "base:1=a")
	point(t, s, "base:1", "b", 4)
	wantDueTasks(t, s, "due", "app base:1@4")
	got, err := s.TaskImages(t.Context(), task)
	check(t, err)
	if len(got[0].Bases) != 2 || got[0].Bases[0].Since != 4 || !got[0].Bases[1].Image.Pinned() || got[0].Bases[1].Since != 0 {
		t.Errorf("bases are %+v", got[0].Bases)
	}
}

// More tasks than one statement can name.
func imagesMany(t *testing.T, s Store) {
	putRegistries(t, s)
	const tasks = 1000
	var ids []drydock.ResourceID
	var images []drydock.ImageName
	for i := range tasks {
		name := fmt.Sprintf("quay.io/base%04d:1", i)
		ids = append(ids, putTask(t, s, fmt.Sprintf("t%04d", i), nil, name+"=a"))
		images = append(images, imageName(name))
		point(t, s, name, "b", int64(i+1))
	}
	due, err := s.DueTasks(t.Context(), ids...)
	check(t, err)
	known, err := s.TaskImages(t.Context(), ids...)
	check(t, err)
	states, err := s.ImageStates(t.Context(), images...)
	check(t, err)
	check(t, s.Settle(t.Context(), ids[1:]...))
	left, err := s.DueTasks(t.Context())
	check(t, err)
	if len(due) != tasks || len(known) != tasks || len(states) != tasks || len(left) != 1 || known[tasks-1].Task.Key() != ids[tasks-1].Key() {
		t.Errorf("%d are due, %d known, %d states, %d left", len(due), len(known), len(states), len(left))
	}
}
