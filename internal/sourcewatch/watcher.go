package sourcewatch

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/crew"
	"github.com/drydockhq/drydock/internal/githost"
)

// Tasks are the tasks whose sources are watched. Its methods join the
// transaction of their context.
type Tasks interface {
	// Triggers returns what starts runs of a task by itself. A task that is not
	// there is an error with code NotFound.
	Triggers(ctx context.Context, task drydock.ResourceID) (drydock.TaskTriggers, error)

	// TaskRun returns the record of a run of a task, ready to be created. A task
	// that is disabled is an error with code Conflict.
	TaskRun(ctx context.Context, task drydock.ResourceID, change func(*drydock.RunRequest)) (drydock.RunRecord, error)
}

// Repositories looks at git repositories.
type Repositories interface {
	// Refs returns the default branch of a repository, empty for none, and the
	// commits of it and of the refs of some patterns, by their full names.
	Refs(ctx context.Context, repository, token string, patterns ...string) (commits map[string]string, standard string, err error)

	// Changed returns the files that differ between two commits.
	Changed(ctx context.Context, repository, token, before, after string) ([]string, error)
}

// Sealer encrypts what is kept and must not be read from the store alone.
type Sealer interface {
	Seal(plain []byte, purpose string) []byte
	Open(sealed []byte, purpose string) ([]byte, error)
}

// Store keeps what a Watcher knows, and the runs that it makes.
type Store interface {
	drydock.SourceWatchStore
	drydock.CommitStatusStore
	drydock.RunStore
	drydock.Transactor
	AppendEvent(ctx context.Context, e drydock.Event) (drydock.Event, error)
}

// Watcher watches repositories. Its fields are set before it is used. Its methods
// may be called from several goroutines.
type Watcher struct {
	Tasks        Tasks
	Repositories Repositories
	Store        Store
	Sealer       Sealer
	Hosts        githost.Options
	// HookURL returns the URL by which the git host of a repository can reach what
	// serves Receive for a watch; or, in words, why it can't.
	HookURL func(ctx context.Context, repository, id string) (url, problem string)
	// LogURL returns the URL by which people can read the log of a run with a
	// link; empty for none.
	LogURL func(link string) string
	// Cancel ends a run, or asks whoever has it to stop.
	Cancel func(ctx context.Context, registry drydock.ResourceID, run string) error
	// Poll is how long it takes between two looks at a repository.
	Poll time.Duration
	// Answer is how long a git host may take to list its refs; 30 s if 0.
	Answer time.Duration
	Now    func() time.Time
	Log    *slog.Logger
	// NewSecret returns a fresh random text of letters and digits.
	NewSecret func() string

	mu     sync.Mutex
	woken  chan struct{}
	hints  map[string]*hint
	warned map[string]string // what was last said of a watch
	asked  answers

	handled []drydock.RunRecord // that are to be canceled when what Handle does is stored
	older   []drydock.RunRecord // that are to be canceled

	lookers, tellers crew.Crew
	deeper           time.Time // when more may be read than what is due first
}

const (
	// rarely is how many times longer it takes between two looks where the git
	// host calls.
	rarely = 10
	// longest is the longest time between two looks that fail.
	longest = 30 * time.Minute
	// within is how long a look, or the making of a webhook, may take.
	within = 2 * time.Minute
	// answerWithin is how long a git host may take to list its refs.
	answerWithin = 30 * time.Second
	// How much goes on at a time: at one git host, so that one that hangs holds up
	// nobody else, and in all.
	hostTogether = 4
	allTogether  = 32
	// kept is how many places are kept for what is urgent.
	kept = 8
	// first is how many of those that are due first are read.
	first = 64
	// sooner is how much earlier than others those are due that somebody waits
	// for: whoever pushed and whose git host called; and twice that what is new,
	// since commits before the first look are no changes.
	sooner = 365 * 24 * time.Hour
)

// Run arms what is to be watched, looks at repositories and tells git hosts of
// commits, until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	defer w.tellers.Wait()
	defer w.lookers.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		woken, looked, told := w.wakes(), w.lookers.Freed(), w.tellers.Freed()
		next, err := w.begin(ctx)
		if err != nil && ctx.Err() == nil {
			w.Log.ErrorContext(ctx, "watching repositories, trying again", "error", err)
			next = w.Now().Add(5 * time.Second)
		}
		timer.Reset(min(max(next.Sub(w.Now()), 0), time.Minute))
		select {
		case <-ctx.Done():
		case <-woken:
		case <-looked:
		case <-told:
		case <-timer.C:
		}
	}
}

// begin begins what is due, and returns when there will be more.
func (w *Watcher) begin(ctx context.Context) (time.Time, error) {
	now := w.Now()
	next := now.Add(time.Hour)
	later := func(due time.Time) {
		if due.Before(next) {
			next = due
		}
	}
	if err := w.cancelOlder(ctx); err != nil {
		return next, fmt.Errorf("canceling runs for older commits: %w", err)
	}
	if err := w.beginLooks(ctx, now, later); err != nil {
		return next, err
	}
	statuses, err := w.Store.FirstCommitStatuses(ctx, first)
	if err != nil {
		return next, err
	}
	for _, s := range statuses {
		if s.Due.After(now) {
			later(s.Due)
		} else {
			w.tellers.Try(s.Registry.Key()+" "+s.Run, hostOf(s.Repository), allTogether, hostTogether, func() { w.tell(ctx, s) })
		}
	}
	return next, nil
}

// beginLooks begins the looks that are due. Those at hosts that are busy are
// passed over, so as many are read as it takes to find others; not all the time,
// for they may be very many.
func (w *Watcher) beginLooks(ctx context.Context, now time.Time, later func(time.Time)) error {
	for limit := first; ; limit *= 4 {
		began := time.Now()
		watches, err := w.Store.FirstSourceWatches(ctx, limit)
		if err != nil {
			return err
		}
		all := len(watches) == limit
		for _, watch := range watches {
			if watch.Due.After(now) && !w.tooFar(watch, now) {
				later(watch.Due)
				all = false
				continue
			}
			room := allTogether - kept
			if watch.State == drydock.WatchNew || now.Sub(watch.Due) > sooner/2 {
				room = allTogether
			}
			w.lookers.Try(watch.ID, hostOf(watch.Repository), room, hostTogether, func() { w.attend(ctx, watch.ID) })
		}
		if !all || w.lookers.Full(allTogether-kept) {
			return nil
		}
		if limit > first {
			w.deeper = time.Now().Add(max(time.Second, 20*time.Since(began)))
		} else if wait := time.Until(w.deeper); wait > 0 {
			later(now.Add(wait))
			return nil
		}
	}
}

// hostOf names the git host of a repository; what has no host is its own.
func hostOf(repository string) string {
	return cmp.Or(githost.HostName(repository), repository)
}

// tooFar reports that a look is due so late that the clock must have been set
// back since that was decided. Hosts that want to be left alone may say any time.
func (w *Watcher) tooFar(watch drydock.SourceWatch, now time.Time) bool {
	return watch.Failures == 0 && watch.State != drydock.WatchRemoving && watch.Due.Sub(now) > 2*rarely*w.Poll
}

// Wake lets the watcher see what is due now.
func (w *Watcher) Wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.woken != nil {
		close(w.woken)
		w.woken = nil
	}
}

// wakes returns what is closed by the next Wake.
func (w *Watcher) wakes() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.woken == nil {
		w.woken = make(chan struct{})
	}
	return w.woken
}

// after returns a time after about a duration: not all at the same moment.
func (w *Watcher) after(d time.Duration) time.Time {
	return w.Now().Add(time.Duration(float64(d) * (0.8 + 0.4*rand.Float64())))
}

// warn logs something of a watch, once until there is something else to say.
func (w *Watcher) warn(ctx context.Context, watch drydock.SourceWatch, text string) {
	w.mu.Lock()
	if w.warned == nil {
		w.warned = map[string]string{}
	}
	said := w.warned[watch.ID] == text
	w.warned[watch.ID] = text
	w.mu.Unlock()
	if !said && text != "" {
		w.Log.WarnContext(ctx, text, "task", watch.Task.String(), "trigger", watch.Trigger, "repository", watch.Repository)
	}
}
