package drydock

import "time"

// RunFacts are what a task file can ask of the run that it is part of, as
// `{{.Run.ID}}` or `$ID`. They hold no secrets.
type RunFacts struct {
	ID           string
	TaskName     string
	Registry     string // login server
	Date         time.Time
	SharedVolume string
	OS           string
	OSVersion    string
	Architecture string
	Commit       string
	Branch       string
	Repository   string
	GitTag       string
	TriggeredBy  string
}

// StepStatus is the state of a step in a run, named as in ACR's log.
type StepStatus string

// The states of a step.
const (
	StepSkipped    StepStatus = "skipped"
	StepInProgress StepStatus = "in progress"
	StepSuccessful StepStatus = "successful"
	StepFailed     StepStatus = "failed"
	StepCanceled   StepStatus = "canceled" // stopped with the run, not by a failure of its own
)

// StepResult is what became of a step.
type StepResult struct {
	ID      string
	Status  StepStatus
	Elapsed time.Duration
	Err     error // why a step failed, also when its errors were ignored; nil otherwise
}

// RunResult is what became of a run.
type RunResult struct {
	Steps        []StepResult // in the order of the task
	Dependencies []ImageDependencies
	// Pushed are the images that the run has pushed, built or not, where that is
	// known.
	Pushed  []ImageReference
	Elapsed time.Duration
}
