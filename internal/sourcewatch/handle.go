package sourcewatch

import (
	"context"
	"net/url"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/trigger"
)

// Handle does what events ask for: it arms and disarms what tasks watch, makes
// runs of changes of repositories, which it returns, and sees what has become of
// them. Handled follows it when that is stored.
func (w *Watcher) Handle(ctx context.Context, events []drydock.Event) ([]drydock.RunRecord, error) {
	var created []drydock.RunRecord
	w.handled = nil
	for _, e := range events {
		var err error
		switch e.Kind {
		case drydock.TaskChangedEvent:
			err = w.follow(ctx, e.Subject)
		case drydock.TriggersChangedEvent:
			err = w.lookBelow(ctx, e.Subject)
		case drydock.RunEndedEvent:
			err = w.ended(ctx, e)
		case drydock.CommitEvent, drydock.PullRequestEvent:
			var run *drydock.RunRecord
			if run, err = w.start(ctx, e); run != nil {
				created = append(created, *run)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return created, nil
}

// triggers returns the triggers of a task, none if it is not there.
func (w *Watcher) triggers(ctx context.Context, task drydock.ResourceID) (drydock.TaskTriggers, error) {
	t, err := w.Tasks.Triggers(ctx, task)
	if drydock.CodeOf(err) == drydock.NotFound {
		return drydock.TaskTriggers{Task: task}, nil
	}
	return t, err
}

// named returns a source trigger that is enabled, nil if there is none of the
// name.
func named(t drydock.TaskTriggers, name string) *drydock.SourceTrigger {
	for _, s := range t.Source {
		if s.Name == name && s.Enabled && (s.Commit || s.Pull) {
			return &s
		}
	}
	return nil
}

// follow arms what a task watches now and disarms what it watches no more. What
// only filters changes leaves its watch as it is.
func (w *Watcher) follow(ctx context.Context, task drydock.ResourceID) error {
	t, err := w.triggers(ctx, task)
	if err != nil {
		return err
	}
	watches, err := w.Store.SourceWatches(ctx, task)
	if err != nil {
		return err
	}
	kept := map[string]bool{}
	for _, watch := range watches {
		// Those below the task's id are other resources'.
		if watch.State == drydock.WatchRemoving || watch.Task.Key() != task.Key() {
			continue
		}
		s := named(t, watch.Trigger)
		same, err := w.same(watch, s)
		if err != nil {
			return err
		}
		if same && !kept[watch.Trigger] {
			kept[watch.Trigger] = true
		} else {
			watch.State, watch.Failures = drydock.WatchRemoving, 0
		}
		// A branch that is watched from now on is looked at once to see how it is.
		if watch.State != drydock.WatchNew {
			watch.Due = w.Now()
		}
		if _, err := w.Store.PutSourceWatch(ctx, watch); err != nil {
			return err
		}
	}
	for i := range t.Source {
		if s := named(t, t.Source[i].Name); s != nil && !kept[s.Name] {
			kept[s.Name] = true
			if err := w.create(ctx, t, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// same reports that a watch is what a trigger, if there is one, needs.
func (w *Watcher) same(watch drydock.SourceWatch, s *drydock.SourceTrigger) (bool, error) {
	if s == nil {
		return false, nil
	}
	repository, token := apart(s)
	if watch.Repository != repository || watch.Commit != s.Commit || watch.Pull != s.Pull {
		return false, nil
	}
	known, err := w.open(watch)
	return known.Token == token, err
}

func (w *Watcher) create(ctx context.Context, t drydock.TaskTriggers, s *drydock.SourceTrigger) error {
	if _, err := trigger.NewSource(*s); err != nil {
		w.Log.WarnContext(ctx, "a source trigger can't be watched", "task", t.Task.String(), "trigger", s.Name, "error", err)
		return nil
	}
	watch := drydock.SourceWatch{
		ID: w.NewSecret(), Task: t.Task, Trigger: s.Name, Commit: s.Commit, Pull: s.Pull, State: drydock.WatchNew, Due: w.Now().Add(-2 * sooner),
	}
	var token string
	watch.Repository, token = apart(s)
	var err error
	if watch.Secrets, err = w.seal(watch.ID, secrets{Token: token, Hook: w.NewSecret()}); err != nil {
		return err
	}
	_, err = w.Store.PutSourceWatch(ctx, watch)
	return err
}

// apart returns the URL of a trigger's repository without what is secret or
// names no repository, and the token for it, which may stand in the URL.
func apart(s *drydock.SourceTrigger) (repository, token string) {
	repository, _, _ = strings.Cut(s.Repository, "#")
	token = s.Token
	u, err := url.Parse(repository)
	if err != nil || u.User == nil || u.Scheme != "http" && u.Scheme != "https" {
		return repository, token
	}
	if token == "" {
		token = userToken(u)
	}
	u.User = nil
	return u.String(), token
}

// userToken returns the token in a URL: the password, or the user's name where it
// is alone. Git hosts offer URLs with names that are none: "git", and, as Azure
// DevOps, that of the organization that the path begins with.
func userToken(u *url.URL) string {
	name := u.User.Username()
	if password, _ := u.User.Password(); password != "" && password != "x-oauth-basic" {
		return password
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if name == "git" || strings.EqualFold(name, first) {
		return ""
	}
	return name
}

// lookBelow lets all be looked at that is watched below a registry: its triggers
// may go on after a pause.
func (w *Watcher) lookBelow(ctx context.Context, registry drydock.ResourceID) error {
	watches, err := w.Store.SourceWatches(ctx, registry)
	if err != nil {
		return err
	}
	for _, watch := range watches {
		if watch.State != drydock.WatchWebhook && watch.State != drydock.WatchPolling {
			continue
		}
		watch.Due = w.Now()
		if _, err := w.Store.PutSourceWatch(ctx, watch); err != nil {
			return err
		}
	}
	return nil
}
