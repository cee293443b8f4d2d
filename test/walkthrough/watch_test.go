package walkthrough

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// show serves a page that a test changes: "" hangs up.
type show struct {
	mu   sync.Mutex
	page string
}

func (s *show) set(page string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.page = page
}

// ServeHTTP implements http.Handler.
func (s *show) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	colour, heading, found := strings.Cut(s.page, ", ")
	switch {
	case s.page == "":
		panic(http.ErrAbortHandler)
	case !found:
		http.Error(w, s.page, http.StatusServiceUnavailable)
	default:
		fmt.Fprintf(w, `<body style="background-color: %s"><h1>%s</h1>`, colour, heading)
	}
}

// watched starts to watch a page.
func watched(t *testing.T, page string) (*watcher, *show) {
	t.Helper()
	s := &show{page: page}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	tries := 0
	w := newWatcher(func(context.Context) (string, error) {
		if tries++; tries == 1 {
			return "", fmt.Errorf("it is not there yet")
		}
		return strings.TrimPrefix(server.URL, "http://"), nil
	})
	p := &Person{watch: w}
	t.Cleanup(p.watching(t.Context(), true))
	return w, s
}

const blue, green, red = "Blue, Hello World", "Green, Hello World", "Red, Hello World"

// What the page was for a moment is known ever after.
func TestEachPageIsSeen(t *testing.T) {
	t.Parallel()
	for name, between := range map[string]string{"another colour": red, "an error": "no such page"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, s := watched(t, blue)
			if _, err := w.see(t.Context(), []string{blue}); err != nil {
				t.Fatal(err)
			}
			s.set(between)
			_, err := w.see(t.Context(), []string{blue})
			if err == nil || !strings.Contains(err.Error(), between) {
				t.Errorf("%v does not say %q", err, between)
			}
			s.set(green)
			if _, err := w.see(t.Context(), []string{blue, green}); err == nil || !strings.Contains(err.Error(), between) {
				t.Errorf("%v does not say %q", err, between)
			}
		})
	}
}

// A page may be gone while it is deployed, and at no other time.
func TestGaps(t *testing.T) {
	t.Parallel()
	w, s := watched(t, "")
	if _, err := w.see(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	s.set(blue)
	if _, err := w.see(t.Context(), []string{blue}); err != nil {
		t.Fatal(err)
	}
	if err := w.wantGaps(nil); err != nil {
		t.Error("before the first answer: ", err)
	}
	deploy := span{from: time.Now().Add(-time.Second)} // it may be asked right now
	s.set("")
	if _, err := w.see(t.Context(), []string{blue}); err != nil {
		t.Fatal(err)
	}
	s.set(green)
	if _, err := w.see(t.Context(), []string{blue, green}); err != nil {
		t.Fatal(err)
	}
	deploy.to = time.Now()
	if err := w.wantGaps([]span{deploy}); err != nil {
		t.Error(err)
	}
	if err := w.wantGaps([]span{{deploy.to, deploy.to.Add(time.Second)}}); err == nil || !strings.Contains(err.Error(), "nobody deployed it") {
		t.Errorf("a gap at another time: %v", err)
	}
	if story := w.story(); !strings.Contains(story, "was gone 1 times") || !strings.Contains(story, "no answer for ") {
		t.Errorf("the story is\n%s", story)
	}
}
