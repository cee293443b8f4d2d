package drydock

import "time"

// TaskTriggers is what starts runs of a task by itself: the typed view of the
// trigger part of ACR's task resource.
type TaskTriggers struct {
	Task    ResourceID
	Enabled bool // the task itself is; no trigger fires otherwise
	// Paused says that the registry holds its triggers back. What is due then
	// runs when they go on.
	Paused    bool
	Changed   time.Time // when the task was last written
	Source    []SourceTrigger
	BaseImage *BaseImageTrigger // nil for none
	Timers    []TimerTrigger
}

// SourceTrigger starts a run when a git repository changes.
type SourceTrigger struct {
	Name    string
	Enabled bool
	// Repository is the URL of the repository, which may have the branch and
	// folder of the task's context behind a #.
	Repository string
	Branch     string   // or a pattern, as path.Match has it, or refs/tags/ and one
	Paths      []string // patterns of which one must match a changed file; none for all
	Commit     bool
	Pull       bool   // pull requests that are opened or updated
	Token      string // secret; of the git host
	// ForkSecrets says that runs for pull requests from other repositories get
	// the task's secrets too.
	ForkSecrets bool
	// CancelSuperseded says that a newer commit of a branch ends the runs for
	// older ones.
	CancelSuperseded bool
}

// BaseImageTriggerType says which base images count, named as in ACR's API.
type BaseImageTriggerType string

// The types of base image trigger.
const (
	RuntimeImages BaseImageTriggerType = "Runtime"
	AllImages     BaseImageTriggerType = "All"
)

// BaseImageTrigger starts a run when a base image changes.
type BaseImageTrigger struct {
	Name     string
	Enabled  bool
	Type     BaseImageTriggerType
	Endpoint string // URL that is told of updates; empty for none
	Payload  string // what it is told: "Default" or "Token"
}

// TimerTrigger starts a run at fixed times.
type TimerTrigger struct {
	Name     string
	Enabled  bool
	Schedule string // NCronTab of five fields, in UTC
}

// RunCause says why a run started by itself, so that the chain that led to it
// can be followed back. It stands in the Trigger of a RunRecord under the key
// cause, beside ACR's own keys, and in the properties of the run as clients see it.
type RunCause struct {
	Event int64        `json:"event,omitempty"` // number of the event that made it due
	Time  time.Time    `json:"time"`            // of what happened
	By    string       `json:"by,omitempty"`    // who or what did it, in words
	Image []CauseImage `json:"images,omitempty"`
	Notes []string     `json:"notes,omitempty"` // in words: a middle image that failed, what was left out
}

// CauseImage is an image whose change made a run due.
type CauseImage struct {
	Image     string   `json:"image"`               // host/repository:tag
	Previous  string   `json:"previous,omitempty"`  // digest that the task's newest run had; empty for none
	Digest    string   `json:"digest"`              // digest now
	Platforms []string `json:"platforms,omitempty"` // of an index: those that changed
	Run       string   `json:"run,omitempty"`       // resource id of the run that pushed it, if one did
}
