package runner

import (
	"runtime"
	"strings"

	"github.com/drydockhq/drydock"
)

func (j *job) newFacts() drydock.RunFacts {
	f := drydock.RunFacts{
		ID: j.record.ID, TaskName: j.record.Task, Registry: j.host(), Date: j.record.Created,
		OS: j.request.OS, Architecture: j.request.Architecture,
		TriggeredBy: j.triggeredBy(),
	}
	// What a change of the source started is about that change, wherever the
	// source has got to since. A trigger that can't be read says nothing.
	if t, err := drydock.ParseRunTrigger(j.record.Trigger); err == nil && t.Source != nil {
		f.Commit, f.Branch = t.Source.CommitID, t.Source.BranchName
		if tag, ok := strings.CutPrefix(f.Branch, "refs/tags/"); ok {
			f.Branch, f.GitTag = "", tag
		}
	}
	if f.OS == "" {
		f.OS = runtime.GOOS
	}
	if f.Architecture == "" {
		f.Architecture = runtime.GOARCH
	}
	return f
}

// triggeredBy names what caused the run, as in ACR's template variable.
func (j *job) triggeredBy() string {
	t := string(j.record.Trigger)
	switch {
	case strings.Contains(t, `"sourceTrigger"`):
		return "Source"
	case strings.Contains(t, `"imageUpdateTrigger"`):
		return "Image Update"
	case strings.Contains(t, `"timerTrigger"`):
		return "Timer"
	}
	return "Manual"
}

// host is the login server that the run's unqualified images are in.
func (j *job) host() string {
	if j.request.RunRegistry != "" {
		return j.request.RunRegistry
	}
	return j.agent.LoginServer(j.record.Registry)
}
