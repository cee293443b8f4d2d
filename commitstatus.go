package drydock

import (
	"context"
	"time"
)

// CommitState says what became of a commit, as git hosts have it.
type CommitState string

// The states of commits.
const (
	CommitPending CommitState = "pending"
	CommitSuccess CommitState = "success"
	CommitFailure CommitState = "failure" // of what was built
	CommitError   CommitState = "error"   // of what builds: canceled, timed out
)

// CommitStatus is what a git host is to be told of a run for a commit.
type CommitStatus struct {
	Registry   ResourceID
	Run        string // id of the run
	Task       ResourceID
	Trigger    string // name
	Repository string // as the trigger had it
	Commit     string
	Pull       string // number of the pull request; empty for none
	Link       string // random: who knows it may read the log of the run
	State      CommitState
	Text       string      // one line
	Told       CommitState // what the git host knows; empty for nothing
	Attempts   int         // to tell it the present state
	Due        time.Time   // of the next one; zero when there is none to come
	Created    time.Time
}

// CommitStatusStore keeps what git hosts are to be told. What belongs to a
// registry goes with it. Its methods may be called from several goroutines and
// servers. A status that is not there is an error with code NotFound.
type CommitStatusStore interface {
	// PutCommitStatus stores the status of a run, or replaces it. A registry that
	// is not there is an error with code NotFound.
	PutCommitStatus(ctx context.Context, s CommitStatus) error

	CommitStatus(ctx context.Context, registry ResourceID, run string) (CommitStatus, error)

	// LinkedCommitStatus returns the one with a link.
	LinkedCommitStatus(ctx context.Context, link string) (CommitStatus, error)

	// FirstCommitStatuses returns those that are due first, in that order, at
	// most limit.
	FirstCommitStatuses(ctx context.Context, limit int) ([]CommitStatus, error)

	// DeleteCommitStatuses deletes those that were created before a time.
	DeleteCommitStatuses(ctx context.Context, before time.Time) error
}
