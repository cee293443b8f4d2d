package baseimage_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
)

// Tasks whose git host never answers hold up no others, also not those that come
// while they are read; and they end.
func TestHostThatHangs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var asked atomic.Int64
	s.hangs = func(task string) bool {
		if !strings.HasPrefix(task, "hung") {
			return false
		}
		asked.Add(1)
		return true
	}
	for i := range 40 {
		s.define(fmt.Sprint("hung", i), `{"Source":"https://hung.example/x.git"}`, drydock.BuildSurvey{})
	}
	s.define("before", `{"Source":"https://other.example/x.git"}`, surveyOf(base("base", nil)))
	s.follow()
	changed, armed := make(chan struct{}, 1), make(chan struct{}, 100)
	s.armer.Changed, s.armer.Armed = changed, func() { armed <- struct{}{} }
	s.armer.SourceHost = func(source string) string { return strings.TrimSuffix(source, "/x.git") }
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.armer.Run(ctx) }()
	wait := func(what string) {
		t.Helper()
		select {
		case <-armed:
		case <-time.After(20 * time.Second):
			t.Fatal(what)
		}
	}
	wait("what is there is held up")
	s.define("after", `{"Source":"https://other.example/x.git"}`, surveyOf(base("base", nil)))
	s.follow()
	changed <- struct{}{}
	wait("what is new is held up")
	stop()
	<-done
	if n := asked.Load(); n > 3 {
		t.Errorf("the host was asked %d times at once", n)
	}
	for _, task := range []string{"before", "after"} {
		if known := s.view(task).Known; known.Reading || len(known.Bases) != 1 {
			t.Errorf("of %s is known %+v", task, known)
		}
	}
	s.armer.Timeout = time.Millisecond
	s.must(s.armer.Arm(t.Context()))
	if known := s.view("hung7").Known; known.Reading || !strings.Contains(known.Problem, "longer than 1ms") {
		t.Errorf("known is %+v", known)
	}
}
