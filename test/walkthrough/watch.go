package walkthrough

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// watcher asks for a page ten times a second, as soon as it has an address.
type watcher struct {
	address func(ctx context.Context) (string, error)

	mu     sync.Mutex
	asked  int
	sights []sight
	gaps   []gap
	next   chan struct{} // closed and replaced when the page was asked
}

// sight is what the page was from a moment on.
type sight struct {
	at   time.Time
	page string // "Orange, Hello World", or what else was answered
}

// gap is a time without an answer. Its end is zero while it lasts.
type gap struct {
	from, to time.Time
	why      error
}

func newWatcher(address func(ctx context.Context) (string, error)) *watcher {
	return &watcher{address: address, next: make(chan struct{})}
}

// run watches until ctx ends.
func (w *watcher) run(ctx context.Context) {
	const often, seldom = 100 * time.Millisecond, 250 * time.Millisecond
	address, pause := "", seldom
	for ctx.Err() == nil {
		if address == "" {
			if found, err := w.address(ctx); err == nil && found != "" {
				address, pause = found, often
			}
		} else {
			at := time.Now()
			page, err := answered(ctx, address)
			if ctx.Err() != nil {
				return
			}
			w.note(at, page, err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// watching starts to watch, if there is something. What it returns ends that.
func (p *Person) watching(ctx context.Context, page bool) (end func()) {
	if !page {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.watch.run(ctx)
	}()
	return func() {
		cancel()
		<-ended
	}
}

var pageForm = regexp.MustCompile(`(?s)background-color: (\w+)".*<h1>([^<]*)</h1>`)

// answered asks for the page once, on a new connection. What is no such page is
// returned as it is.
func answered(ctx context.Context, address string) (page string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return "", err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if found := pageForm.FindStringSubmatch(string(text)); found != nil && resp.StatusCode == http.StatusOK {
		return found[1] + ", " + found[2], nil
	}
	return fmt.Sprintf("%s: %.100q", resp.Status, text), nil
}

// note keeps what was answered at a time. What comes before the first answer is no
// gap.
func (w *watcher) note(at time.Time, page string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.next)
	w.next = make(chan struct{})
	w.asked++
	open := len(w.gaps) > 0 && w.gaps[len(w.gaps)-1].to.IsZero()
	switch {
	case err != nil && len(w.sights) == 0:
	case err != nil && !open:
		w.gaps = append(w.gaps, gap{from: at, why: err})
	case err == nil && open:
		w.gaps[len(w.gaps)-1].to = at
	}
	if err == nil && (len(w.sights) == 0 || w.sights[len(w.sights)-1].page != page) {
		w.sights = append(w.sights, sight{at, page})
	}
}

// see waits until the page was asked anew, and checks that it has been these, one
// after the other, and nothing else ever.
func (w *watcher) see(ctx context.Context, want []string) ([]sight, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("nobody asks for the page"))
	defer cancel()
	for range 2 { // the first one may have begun already
		w.mu.Lock()
		next := w.next
		w.mu.Unlock()
		select {
		case <-next:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var got []string
	for _, s := range w.sights {
		got = append(got, s.page)
	}
	if !slices.Equal(got, want) {
		return nil, fmt.Errorf("the page was %q, not %q:\n%s", got, want, w.told())
	}
	return slices.Clone(w.sights), nil
}

// span is the time of a run.
type span struct{ from, to time.Time }

// wantGaps checks that each gap began while the page was deployed.
func (w *watcher) wantGaps(deploys []span) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var errs []error
	for _, g := range w.gaps {
		if !slices.ContainsFunc(deploys, func(s span) bool { return !g.from.Before(s.from) && !g.from.After(s.to) }) {
			errs = append(errs, fmt.Errorf("the page did not answer at %s, when nobody deployed it: %w", clock(g.from), g.why))
		}
	}
	return errors.Join(errs...)
}

// story tells what was seen, and when.
func (w *watcher) story() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.told()
}

// told is story for those who hold the lock.
func (w *watcher) told() string {
	var b strings.Builder
	fmt.Fprintf(&b, "The page was asked for %d times, and ", w.asked)
	if len(w.gaps) == 0 {
		b.WriteString("always answered.\n")
	} else {
		fmt.Fprintf(&b, "was gone %d times.\n", len(w.gaps))
	}
	for _, s := range w.sights {
		fmt.Fprintf(&b, "  %s  %s\n", clock(s.at), s.page)
	}
	for _, g := range w.gaps {
		if g.to.IsZero() {
			g.to = time.Now()
		}
		fmt.Fprintf(&b, "  %s  no answer for %s: %v\n", clock(g.from), g.to.Sub(g.from).Round(time.Millisecond), g.why)
	}
	return b.String()
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05.000") }
