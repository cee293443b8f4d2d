package sourcewatch

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost"
	"github.com/drydockhq/drydock/internal/trigger"
)

// The words for events in ACR's API.
const (
	commitEvent = "Commit"
	pullEvent   = "Pull Request"
)

// start creates the run of a change, nil if the change starts none.
func (w *Watcher) start(ctx context.Context, e drydock.Event) (*drydock.RunRecord, error) {
	var c drydock.SourceChange
	if err := json.Unmarshal(e.Data, &c); err != nil {
		return nil, fmt.Errorf("reading the change of a repository: %w", err)
	}
	t, err := w.triggers(ctx, e.Subject)
	if err != nil {
		return nil, err
	}
	s := named(t, c.Trigger)
	if s == nil || !t.Enabled {
		return nil, nil
	}
	source, err := trigger.NewSource(*s)
	if err != nil || !source.Starts(c) {
		return nil, err
	}
	if t.Paused {
		return nil, w.unsee(ctx, e.Subject, c)
	}
	run, err := w.createRun(ctx, e, c, s)
	if code := drydock.CodeOf(err); code == drydock.Conflict || code == drydock.NotFound {
		return nil, nil // the task was disabled, or is going
	}
	return run, err
}

func (w *Watcher) createRun(ctx context.Context, e drydock.Event, c drydock.SourceChange, s *drydock.SourceTrigger) (*drydock.RunRecord, error) {
	strangers := c.Fork && !s.ForkSecrets
	altered := false
	record, err := w.Tasks.TaskRun(ctx, e.Subject, func(r *drydock.RunRequest) {
		altered = pin(r, c)
		if strangers {
			*r = r.Distrusted()
		}
	})
	if err != nil {
		return nil, err
	}
	record.Altered = altered
	cause := &drydock.RunCause{Event: e.Number, Time: e.Time, By: by(c)}
	if strangers {
		cause.Notes = append(cause.Notes, "The pull request comes from another repository: the run gets no secrets and pushes nothing.")
	}
	d := descriptor(e, c)
	older, err := w.superseded(ctx, record, d, s)
	if err != nil {
		return nil, err
	}
	for _, o := range older {
		cause.Notes = append(cause.Notes, fmt.Sprintf("Run %s, for an older commit, was canceled.", o.ID))
	}
	if record.Trigger, err = json.Marshal(drydock.RunTrigger{Source: d, Cause: cause}); err != nil {
		return nil, fmt.Errorf("writing the trigger of a run: %w", err)
	}
	if record, err = w.Store.CreateRun(ctx, record); err != nil {
		return nil, err
	}
	if err := w.withdraw(ctx, older); err != nil {
		return nil, err
	}
	return &record, w.queued(ctx, e.Subject, record, c)
}

// descriptor is the change as it stands in the properties of a run.
func descriptor(e drydock.Event, c drydock.SourceChange) *drydock.SourceTriggerDescriptor {
	d := &drydock.SourceTriggerDescriptor{
		ID: e.ID, EventType: commitEvent, CommitID: c.Commit, RepositoryURL: c.Repository,
		BranchName: strings.TrimPrefix(c.Ref, "refs/heads/"), ProviderType: c.Provider,
	}
	if c.Pull != "" {
		d.EventType, d.PullRequestID, d.BranchName = pullEvent, c.Pull, c.Branch
	}
	return d
}

// by says who did what.
func by(c drydock.SourceChange) string {
	what := "a push to " + strings.TrimPrefix(strings.TrimPrefix(c.Ref, "refs/heads/"), "refs/")
	if c.Pull != "" {
		what = fmt.Sprintf("pull request %s, which was %s", c.Pull, c.Action)
	}
	if c.Actor != "" {
		what += " by " + c.Actor
	}
	return what
}

// pin lets a run be made from the commit of a change, if its source is the
// repository that has changed. It reports whether that is something else than
// what the task is made from: a pull request, or another branch.
func pin(r *drydock.RunRequest, c drydock.SourceChange) (altered bool) {
	if !githost.SameRepository(r.Source, c.Repository) {
		return false
	}
	repository, fragment, _ := strings.Cut(r.Source, "#")
	ref, folder, inFolder := strings.Cut(fragment, ":")
	own := c.Default && ref == "" || slices.Contains([]string{ref, "refs/heads/" + ref, "refs/tags/" + ref}, c.Ref)
	if r.Source = repository + "#" + c.Commit; inFolder {
		r.Source += ":" + folder
	}
	r.SourceRef = c.PullRef
	return c.Pull != "" || !own
}

// unsee forgets a change, so that it is seen again when triggers go on.
func (w *Watcher) unsee(ctx context.Context, task drydock.ResourceID, c drydock.SourceChange) error {
	watches, err := w.Store.SourceWatches(ctx, task)
	if err != nil {
		return err
	}
	for _, watch := range watches {
		if watch.Trigger != c.Trigger || watch.State == drydock.WatchRemoving {
			continue
		}
		s := readSeen(watch.Seen)
		list, key := s.Refs, c.Ref
		if c.Pull != "" {
			list, key = s.Pulls, c.Pull
		}
		if list[key] != c.Commit {
			continue // it has changed once more
		}
		if list[key] = c.Before; c.Before == "" {
			delete(list, key)
		}
		if watch.Seen, err = s.text(); err != nil {
			return err
		}
		if _, err := w.Store.PutSourceWatch(ctx, watch); err != nil {
			return err
		}
	}
	return nil
}
