package crew_test

import (
	"fmt"
	"testing"

	"github.com/drydockhq/drydock/internal/crew"
)

func TestCrew(t *testing.T) {
	t.Parallel()
	const most, atHost = 3, 2
	var c crew.Crew
	ends := map[string]chan struct{}{}
	try := func(key, host string) bool {
		end := make(chan struct{})
		began := c.Try(key, host, most, atHost, func() { <-end })
		if began {
			ends[key] = end
		}
		return began
	}
	end := func(key string) {
		freed := c.Freed()
		close(ends[key])
		<-freed
	}
	for i, step := range []struct {
		key, host string
		want      bool
	}{
		{"a", "one", true},
		{"a", "two", false}, // it goes on
		{"b", "one", true},
		{"c", "one", false}, // the host is busy
		{"c", "two", true},
		{"d", "three", false}, // all are
	} {
		if got := try(step.key, step.host); got != step.want {
			t.Fatal(fmt.Sprint("step ", i, ": ", got))
		}
	}
	if !c.Full(most) || c.Full(most+1) {
		t.Error("three go on, but it is not full with three")
	}
	end("a")
	if !try("a", "one") {
		t.Error("there is no room for what has ended")
	}
	for _, key := range []string{"a", "b", "c"} {
		end(key)
	}
	c.Wait()
	if c.Full(1) {
		t.Error("something goes on")
	}
}
