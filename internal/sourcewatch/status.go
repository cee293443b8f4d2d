package sourcewatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost"
)

// pauses are how long it takes from one attempt to tell a git host something to
// the next. After the last one it is not told.
var pauses = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}

// queued notes that a git host is to be told of a run that waits.
func (w *Watcher) queued(ctx context.Context, task drydock.ResourceID, r drydock.RunRecord, c drydock.SourceChange) error {
	if c.Provider == string(githost.Plain) {
		return nil
	}
	return w.Store.PutCommitStatus(ctx, drydock.CommitStatus{
		Registry: r.Registry, Run: r.ID, Task: task, Trigger: c.Trigger, Repository: c.Repository, Commit: c.Commit, Pull: c.Pull,
		Link: w.NewSecret(), State: drydock.CommitPending, Text: "Run " + r.ID + " is queued.", Due: w.Now(), Created: w.Now(),
	})
}

// ended notes that a git host is to be told how a run ended.
func (w *Watcher) ended(ctx context.Context, e drydock.Event) error {
	var run drydock.RunEvent
	if err := json.Unmarshal(e.Data, &run); err != nil {
		return fmt.Errorf("reading the end of a run: %w", err)
	}
	s, err := w.Store.CommitStatus(ctx, e.Subject, run.Run)
	if drydock.CodeOf(err) == drydock.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	record, err := w.Store.Run(ctx, e.Subject, run.Run)
	if err != nil && drydock.CodeOf(err) != drydock.NotFound {
		return err
	}
	s.State, s.Text = outcome(run, record)
	s.Due, s.Attempts = w.Now(), 0
	return w.Store.PutCommitStatus(ctx, s)
}

// outcome says what became of a run.
func outcome(e drydock.RunEvent, r drydock.RunRecord) (drydock.CommitState, string) {
	took := ""
	if !r.Started.IsZero() && r.Finished.After(r.Started) {
		took = " after " + r.Finished.Sub(r.Started).Round(time.Second).String()
	}
	var result struct{ RunErrorMessage string }
	if json.Unmarshal(r.Result, &result) == nil && result.RunErrorMessage != "" {
		line, _, _ := strings.Cut(result.RunErrorMessage, "\n")
		took += ": " + line
	}
	switch e.Status {
	case drydock.RunSucceeded:
		return drydock.CommitSuccess, "Run " + e.Run + " succeeded" + strings.Replace(took, " after", " in", 1) + "."
	case drydock.RunFailed:
		return drydock.CommitFailure, "Run " + e.Run + " failed" + took
	case drydock.RunTimeout:
		return drydock.CommitFailure, "Run " + e.Run + " timed out" + took
	case drydock.RunCanceled:
		return drydock.CommitError, "Run " + e.Run + " was canceled" + took
	}
	return drydock.CommitError, "Run " + e.Run + " ended with an error of the server" + took
}

// tell tells a git host of a commit.
func (w *Watcher) tell(ctx context.Context, s drydock.CommitStatus) {
	running := ctx
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	watch, err := w.say(ctx, s)
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return // it is told after the next start
	}
	log := w.Log.With("task", s.Task.String(), "run", s.Run, "repository", s.Repository, "commit", s.Commit, "state", string(s.State))
	final := err == nil || drydock.CodeOf(err) != drydock.Unavailable || s.Attempts >= len(pauses)
	if err != nil && final {
		w.unsaid(ctx, watch, log, err)
	}
	ctx = context.WithoutCancel(ctx)
	err = w.Store.Atomically(ctx, func(ctx context.Context) error {
		now, readErr := w.Store.CommitStatus(ctx, s.Registry, s.Run)
		if drydock.CodeOf(readErr) == drydock.NotFound {
			return nil // with its registry
		}
		if readErr != nil {
			return readErr
		}
		if err == nil {
			now.Told = s.State
		}
		switch {
		case now.State != s.State: // it has ended meanwhile, and is due
		case final:
			now.Due = time.Time{}
		default:
			now.Due = w.Now().Add(pauses[s.Attempts])
			if until, ok := githost.RetryAfter(err); ok && until.After(now.Due) {
				now.Due = until
			}
			now.Attempts++
		}
		return w.Store.PutCommitStatus(ctx, now)
	})
	if err != nil {
		log.ErrorContext(ctx, "noting what a git host was told", "error", err)
		rest(running, time.Second) // it is due still
	}
}

// unsaid logs that a git host was not told something; of a watch that may not,
// only once.
func (w *Watcher) unsaid(ctx context.Context, watch string, log *slog.Logger, err error) {
	if drydock.CodeOf(err) == drydock.Denied && watch != "" {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.warned == nil {
			w.warned = map[string]string{}
		}
		if w.warned[statusOf(watch)] != "" {
			return
		}
		w.warned[statusOf(watch)] = err.Error()
	}
	log.WarnContext(ctx, "the git host was not told what became of a commit", "error", err)
}

// statusOf is what is warned of when the statuses of a watch can't be set.
func statusOf(watch string) string { return "status " + watch }

// say finds the watch of a status and sets it.
func (w *Watcher) say(ctx context.Context, s drydock.CommitStatus) (string, error) {
	watches, err := w.Store.SourceWatches(ctx, s.Task)
	if err != nil {
		return "", err
	}
	for _, watch := range watches {
		if watch.Trigger != s.Trigger || watch.State == drydock.WatchRemoving || watch.Repository != s.Repository || watch.Provider == "" {
			continue
		}
		host, err := w.host(watch)
		if err != nil {
			return watch.ID, err
		}
		status := githost.Status{
			State: s.State, Text: s.Text, Pull: s.Pull,
			Context: "drydock/" + s.Registry.Name() + "/" + s.Task.Name(),
		}
		if w.LogURL != nil {
			status.URL = w.LogURL(s.Link)
		}
		return watch.ID, host.SetStatus(ctx, s.Commit, status)
	}
	return "", drydock.Errorf(drydock.NotFound, "the trigger of the run is gone, and its token with it")
}

// LinkedRun returns the run that a link to a log is for. One that is not there is
// an error with code NotFound.
func (w *Watcher) LinkedRun(r *http.Request) (registry drydock.ResourceID, run string, err error) {
	s, err := w.Store.LinkedCommitStatus(r.Context(), r.PathValue("link"))
	return s.Registry, s.Run, err
}
