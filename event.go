package drydock

import (
	"context"
	"time"
)

// Event is something that happened and that tasks, webhooks or people may want
// to know of. It is written in the transaction of the change that it tells of.
type Event struct {
	Number  int64      // orders events; set by the store, from 1
	ID      string     // unique: of a delivery, or made by whoever writes the event
	Kind    string     // what happened, as "push"
	Subject ResourceID // the resource that it happened to: a registry, a task
	Data    []byte     // JSON; its form goes with the kind
	Time    time.Time
}

// EventStore keeps events, and how far each of their consumers has read. Its
// methods may be called from several goroutines and servers.
type EventStore interface {
	// AppendEvent stores an event and sets its number, which is greater than
	// that of every event that can be read already. If there is one with the
	// same ID, nothing is written and that one is returned.
	AppendEvent(ctx context.Context, e Event) (Event, error)

	// Events returns at most limit events whose numbers are greater than after,
	// in their order.
	Events(ctx context.Context, after int64, limit int) ([]Event, error)

	// EventsChanged returns what is closed when events were appended after the
	// call, by this server; those of others have to be looked for.
	EventsChanged() <-chan struct{}

	// EventCursor returns the number of the last event that a consumer is done
	// with; 0 for a new one.
	EventCursor(ctx context.Context, consumer string) (int64, error)

	// MoveEventCursor says that a consumer is done with all events up to a
	// number; a cursor never goes back. Called within Transactor.Atomically, it
	// moves together with what the consumer wrote.
	MoveEventCursor(ctx context.Context, consumer string, number int64) error

	// DeleteEvents deletes the events from before a time that all consumers are
	// done with: those that have ever moved their cursor, be it to 0.
	DeleteEvents(ctx context.Context, before time.Time) error
}

// The kinds of events of tasks and runs.
const (
	// RunEndedEvent: a run has come to its end. The subject is the registry, the
	// data a RunEvent. A RunStore writes it with the change of the run.
	RunEndedEvent = "run.ended"
	// TaskChangedEvent: a task was created, changed or deleted. The subject is
	// the task; there is no data.
	TaskChangedEvent = "task.changed"
	// TriggersChangedEvent: the triggers of a registry go on, or are held. The
	// subject is the registry; there is no data.
	TriggersChangedEvent = "triggers.changed"
	// ImageEvent: a tag of a registry that is not this server's was seen to point
	// at another manifest. There is no subject; the data is an ImageChange.
	ImageEvent = "image.changed"
	// TimerEvent: a timer of a task is due. The subject is the task, the data a
	// TimerTick.
	TimerEvent = "timer.due"
	// CommitEvent and PullRequestEvent: a git repository has changed. The subject
	// is the task that watches it, the data a SourceChange.
	CommitEvent      = "source.commit"
	PullRequestEvent = "source.pullrequest"
)

// RunEvent is the data of a RunEndedEvent, as JSON with the names of these
// fields.
type RunEvent struct {
	Run    string // short id
	Task   string // name of the task; empty for a quick run
	Status RunStatus
}

// ImageChange is the data of an ImageEvent.
type ImageChange struct {
	Registry   string // host, docker.io for all names of Docker Hub
	Repository string
	Tag        string
	Digest     string // empty when the tag is gone
	Previous   string // empty when it was not known before
}

// TimerTick is the data of a TimerEvent.
type TimerTick struct {
	Timer      string // name of the trigger
	Occurrence time.Time
	Missed     int // earlier occurrences that passed while nobody could tell
}

// SourceChange is the data of a CommitEvent and a PullRequestEvent.
type SourceChange struct {
	Trigger    string // name of the source trigger
	Provider   string // Github, VisualStudioTeamService, Gitea, …
	Repository string // URL
	Ref        string // refs/heads/…, refs/tags/…; of a pull request that it is to be merged into
	Default    bool   // Ref is the repository's default branch
	Commit     string // the newest; what is built
	Before     string // the commit that the ref was at; empty for a new one
	Paths      []string
	AllPaths   bool // Paths is not known: any file may have changed
	Actor      string
	Pull       string // number of the pull request
	Branch     string // name of the branch that a pull request comes from
	PullRef    string // ref by which the host gives its head, as refs/pull/7/head
	Fork       bool   // it comes from another repository
	Action     string // what happened to the pull request: opened or updated
}
