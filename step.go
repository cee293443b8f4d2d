package drydock

import (
	"slices"
	"time"
)

// StepKind is what a step does.
type StepKind string

// The three kinds of step in the task language.
const (
	BuildStep StepKind = "build"
	CmdStep   StepKind = "cmd"
	PushStep  StepKind = "push"
)

// Step is one step of a rendered task, with all defaults applied. Property
// names and meanings are those of ACR's task language; see docs/task-yaml.md.
type Step struct {
	ID   string // unique in the task, without spaces
	Line int    // where the step begins in the task file; 0 when it was not read from one

	// Exactly one of the three is set.
	Build string   // arguments of `docker build`
	Cmd   string   // image and arguments, in the command language of package shell
	Push  []string // image references

	// When holds the ids of the steps that must have succeeded before this one
	// starts; empty when it starts at once.
	When []string

	Timeout       time.Duration // of all attempts together; more than 0
	StartDelay    time.Duration
	Retries       int // attempts after the first
	RetryDelay    time.Duration
	RetryOnErrors []string // retry only when the output has one of these; empty means always
	Repeat        int      // the step is carried out Repeat+1 times

	ExitedWith    []int // statuses that count as success; empty means 0 alone
	ExitedWithout []int // statuses that do not count as success; every other one does
	IgnoreErrors  bool  // the step counts as successful whatever happens

	Detach                          bool
	Keep                            bool
	Privileged                      bool
	Pull                            bool // pull the image before the step, even when it is here
	DownloadRetries                 int  // of that pull
	DownloadRetryDelay              time.Duration
	DisableWorkingDirectoryOverride bool // start in the image's own directory

	Env              []string // NAME=value; the task's variables are merged in
	Expose           []string
	Ports            []string // as in `docker run -p`
	EntryPoint       string
	User             string
	Isolation        string // accepted, without meaning on Linux
	Network          string // name of a network of the task; never empty in a plan
	WorkingDirectory string // relative to /workspace unless absolute
	CPUs             string // decimal, as in `docker run --cpus`; may be empty
	Cache            bool   // build with a registry cache
	VolumeMounts     []VolumeMount
}

// Kind returns what the step does.
func (s *Step) Kind() StepKind {
	switch {
	case s.Build != "":
		return BuildStep
	case len(s.Push) > 0:
		return PushStep
	default:
		return CmdStep
	}
}

// Succeeds reports whether a container of the step that ended with the given
// status counts as successful.
func (s *Step) Succeeds(status int) bool {
	switch {
	case len(s.ExitedWith) > 0:
		return slices.Contains(s.ExitedWith, status) && !slices.Contains(s.ExitedWithout, status)
	case len(s.ExitedWithout) > 0:
		return !slices.Contains(s.ExitedWithout, status)
	default:
		return status == 0
	}
}

// VolumeMount binds a volume of the task into a step's containers.
type VolumeMount struct {
	Name      string // of the volume
	MountPath string // absolute
}
