package drydock

import (
	"context"
	"time"
)

// RunStatus is the state of a run, named as in ACR's API.
type RunStatus string

// The states of a run. Queued and Started runs may go back to Queued when the
// server that had them is gone.
const (
	RunQueued    RunStatus = "Queued"
	RunStarted   RunStatus = "Started"
	RunRunning   RunStatus = "Running"
	RunSucceeded RunStatus = "Succeeded"
	RunFailed    RunStatus = "Failed"
	RunCanceled  RunStatus = "Canceled"
	RunError     RunStatus = "Error"
	RunTimeout   RunStatus = "Timeout"
)

// Ended reports that the state is one that a run never leaves.
func (s RunStatus) Ended() bool {
	switch s {
	case RunQueued, RunStarted, RunRunning:
		return false
	}
	return true
}

// RunType says how a run came to be, named as in ACR's API.
type RunType string

// The types of run.
const (
	QuickBuild RunType = "QuickBuild"
	QuickRun   RunType = "QuickRun"
	AutoBuild  RunType = "AutoBuild"
	AutoRun    RunType = "AutoRun"
)

// RunRecord is a run as the server keeps it.
type RunRecord struct {
	Registry ResourceID // of the registry that it belongs to
	ID       string     // short, ordered in its registry, as "ca4"
	Number   int64      // that ID is made from; from 1 in each registry

	Status RunStatus
	Type   RunType
	Task   string // name of the task; empty for a quick run
	Pool   string // agent pool; empty for the default one
	// Request is a RunRequest as JSON, with nothing secret in it and all
	// references pinned; Secrets is what of it is secret: RunSecrets as JSON,
	// sealed for RunSecretsPurpose.
	Request []byte
	Secrets []byte
	// Trigger is the trigger as it stands in the properties of ACR's run
	// resource, as a JSON object with one of the keys sourceTrigger,
	// imageUpdateTrigger and timerTrigger; nil for a run that somebody asked for.
	Trigger []byte
	// Result is what the run left behind, as a JSON object with the keys
	// outputImages, logArtifact, runErrorMessage as they stand in the properties
	// of ACR's run resource, and others of our own; nil until the run has ended.
	// Of those logEnd is for the server only: what the run's log ends with, so
	// that it does even if the server is killed before it has written that.
	Result []byte

	Created  time.Time
	Started  time.Time // zero until then
	Finished time.Time // zero until then
	Updated  time.Time

	// Root orders runs by what began the chain of causes that led to them: the
	// number of the event, or of the next one when somebody asked for the run. A
	// store sets it when it is 0.
	Root int64
	// After is the number of the last event when it was stored. A store with events
	// sets it.
	After int64
	// Batch names runs of which only some are carried out at a time; empty for
	// none.
	Batch string
	// Altered says that a run of a task was asked for with something other than
	// what the task has, so that it says nothing of what the task is built from.
	Altered bool

	Archived        bool // isArchiveEnabled
	CancelRequested bool
	Attempts        int       // how often it was started
	Owner           string    // the server that has it; empty when none has
	LeaseUntil      time.Time // until when
}

// RunFilter selects runs; empty fields select all. Names and ids are compared
// without regard to case.
type RunFilter struct {
	Registry ResourceID
	IDs      []string
	Tasks    []string
	Statuses []RunStatus
	After    time.Time // created after
	Before   time.Time // created before
	// OutputHas is part of an output image: of registry/repository:tag or of
	// registry/repository@digest.
	OutputHas  string
	OlderThan  int64 // runs with a smaller Number, for paging; 0 for all
	Limit      int   // 0 for all
	OnlyActive bool  // not ended

	Types          []RunType
	FinishedAfter  time.Time
	FinishedBefore time.Time
	Archived       *bool
	Pool           *string
	// Brief leaves Request, Secrets, Trigger and Result out.
	Brief bool
}

// RunStore keeps runs. Its methods may be called from several goroutines and
// servers. A run that is not there is an error with code NotFound.
type RunStore interface {
	// CreateRun stores a run in the state Queued and sets its number, the next
	// of its registry, and its id. When there is no such registry, the error has
	// code NotFound. A store that knows what tasks are built from says of the
	// run's task that it is settled, as DueStore does, unless the run is altered.
	CreateRun(ctx context.Context, r RunRecord) (RunRecord, error)

	// CreateRuns stores runs as CreateRun does, all of them or none, and returns
	// them in their order. It is quicker than one by one.
	CreateRuns(ctx context.Context, runs []RunRecord) ([]RunRecord, error)

	Run(ctx context.Context, registry ResourceID, id string) (RunRecord, error)

	// Runs returns the selected runs, newest first: by their numbers, and those
	// of several registries by when they were created.
	Runs(ctx context.Context, f RunFilter) ([]RunRecord, error)

	// UpdateRun reads a run, lets change alter it, and writes it back if nobody
	// else has written it meanwhile, trying again otherwise. An error of change
	// is returned and nothing is written. A run keeps its registry, id and number.
	// With its end a store that keeps events too writes a RunEndedEvent.
	UpdateRun(ctx context.Context, registry ResourceID, id string, change func(*RunRecord) error) (RunRecord, error)

	// DeleteRuns deletes up to limit runs that ended before a time and are not
	// archived, those that ended first, and returns them as Brief has them. The
	// newest run of each task stays. Numbers are not given out again.
	DeleteRuns(ctx context.Context, before time.Time, limit int) ([]RunRecord, error)
}
