package drydock

import (
	"context"
	"time"
)

// SourceWatchState says how a server learns of changes of a repository.
type SourceWatchState string

// The states of a source watch.
const (
	// WatchNew: it is yet to be seen how.
	WatchNew SourceWatchState = "New"
	// WatchWebhook: the git host calls; a rare look makes sure of it.
	WatchWebhook SourceWatchState = "Webhook"
	// WatchPolling: the server looks at the repository again and again.
	WatchPolling SourceWatchState = "Polling"
	// WatchRemoving: its webhook is yet to be removed from the git host.
	WatchRemoving SourceWatchState = "Removing"
)

// SourceWatch is how a server learns of changes of the repository of a source
// trigger. It may outlive its task for as long as its webhook does.
type SourceWatch struct {
	ID         string // random: who knows it may call the webhook's URL
	Task       ResourceID
	Trigger    string // name
	Repository string // as the trigger has it, without anything secret
	Commit     bool   // what is watched: branches and tags
	Pull       bool   // pull requests

	State    SourceWatchState
	Provider string // kind of git host; empty until it is known
	Hook     string // the webhook, by the git host's own id; empty for none
	Secrets  []byte // token and the webhook's secret, sealed for SourceWatchPurpose
	Problem  string // in words: why there is no webhook; empty for nothing to say
	Failure  string // in words: why the last look failed; empty if it did not
	Seen     []byte // JSON: what the repository was like when last looked at
	Changes  int64  // that there were events of

	Due       time.Time // when to look again
	Failures  int       // in a row
	Looked    time.Time // when a look last succeeded
	Delivered time.Time // when the git host last called
	Missed    time.Time // when a look found a change that no call had told of
	Rearm     time.Time // when to try again to make the webhook; zero for never

	Version int64 // changes with each write; set by the store
}

// SourceWatchPurpose is what the secrets of a watch are sealed for.
func SourceWatchPurpose(id string) string { return "source watch " + id }

// SourceWatchStore keeps source watches. Its methods may be called from several
// goroutines and servers. A watch that is not there is an error with code
// NotFound.
type SourceWatchStore interface {
	// PutSourceWatch stores a new watch, with Version 0, or one that nobody has
	// written since it was read: else the error has code Conflict. It returns it
	// with its new Version.
	PutSourceWatch(ctx context.Context, w SourceWatch) (SourceWatch, error)

	SourceWatch(ctx context.Context, id string) (SourceWatch, error)

	// SourceWatches returns those of a task, or of all tasks below something, by
	// their tasks and triggers. The zero id stands for all.
	SourceWatches(ctx context.Context, below ResourceID) ([]SourceWatch, error)

	// FirstSourceWatches returns those that are due first, in that order, at
	// most limit.
	FirstSourceWatches(ctx context.Context, limit int) ([]SourceWatch, error)

	DeleteSourceWatch(ctx context.Context, id string) error
}
