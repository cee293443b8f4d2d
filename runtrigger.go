package drydock

import "encoding/json"

// RunTrigger is the Trigger of a RunRecord: ACR's keys, and our cause.
type RunTrigger struct {
	Source *SourceTriggerDescriptor `json:"sourceTrigger,omitempty"`
	Image  *ImageUpdateTrigger      `json:"imageUpdateTrigger,omitempty"`
	Timer  *TimerTriggerDescriptor  `json:"timerTrigger,omitempty"`
	Cause  *RunCause                `json:"cause,omitempty"`
}

// SourceTriggerDescriptor is a change of a git repository that started a run.
type SourceTriggerDescriptor struct {
	ID            string `json:"id,omitempty"`
	EventType     string `json:"eventType,omitempty"` // Commit, Pull Request
	CommitID      string `json:"commitId,omitempty"`
	PullRequestID string `json:"pullRequestId,omitempty"`
	RepositoryURL string `json:"repositoryUrl,omitempty"`
	BranchName    string `json:"branchName,omitempty"`
	ProviderType  string `json:"providerType,omitempty"`
}

// ImageUpdateTrigger is a change of base images that started a run.
type ImageUpdateTrigger struct {
	ID        string            `json:"id,omitempty"`
	Timestamp string            `json:"timestamp,omitempty"`
	Images    []ImageDescriptor `json:"images,omitempty"`
}

// ImageDescriptor is an image as ACR's API describes it.
type ImageDescriptor struct {
	Type       BaseImageKind `json:"type,omitempty"`
	Registry   string        `json:"registry,omitempty"`
	Repository string        `json:"repository,omitempty"`
	Tag        string        `json:"tag,omitempty"`
	Digest     string        `json:"digest,omitempty"`
}

// TimerTriggerDescriptor is a timer that started a run.
type TimerTriggerDescriptor struct {
	Name       string `json:"timerTriggerName"`
	Occurrence string `json:"scheduleOccurrence"` // RFC 3339, UTC
}

// ParseRunTrigger reads the Trigger of a RunRecord. That of a run which somebody
// asked for is zero.
func ParseRunTrigger(trigger []byte) (RunTrigger, error) {
	var t RunTrigger
	if len(trigger) == 0 {
		return t, nil
	}
	err := json.Unmarshal(trigger, &t)
	return t, err
}

// Name names what started a run as ACR's lists do.
func (t RunTrigger) Name() string {
	switch {
	case t.Source != nil && t.Source.EventType != "":
		return t.Source.EventType
	case t.Source != nil:
		return "Commit"
	case t.Timer != nil:
		return "Timer"
	case t.Image != nil:
		return "Image Update"
	}
	return "Manual"
}
