package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// run is a run that has ended.
type run struct {
	ID       string            `json:"id"` // of the resource
	RunID    string            `json:"runId"`
	Registry string            `json:"registry"` // login server
	Task     string            `json:"task,omitempty"`
	Status   drydock.RunStatus `json:"status"`
	Type     drydock.RunType   `json:"runType"`
	Trigger  string            `json:"trigger"` // as in lists of runs

	CreateTime string `json:"createTime"`
	StartTime  string `json:"startTime,omitempty"`
	FinishTime string `json:"finishTime,omitempty"`

	Message string            `json:"runErrorMessage,omitempty"`
	Images  []image           `json:"outputImages,omitempty"`
	Cause   *drydock.RunCause `json:"cause,omitempty"`
}

// image is one that a run has pushed.
type image struct {
	Registry   string `json:"registry,omitempty"`
	Repository string `json:"repository,omitempty"`
	Tag        string `json:"tag,omitempty"`
	Digest     string `json:"digest,omitempty"`
}

// tellOfRun stores the messages of a run that has ended.
func (f *Follower) tellOfRun(ctx context.Context, e drydock.Event, hooks []drydock.Webhook) error {
	var ended drydock.RunEvent
	if err := json.Unmarshal(e.Data, &ended); err != nil {
		return fmt.Errorf("reading the event of a run: %w", err)
	}
	record, err := f.Runs.Run(ctx, e.Subject, ended.Run)
	if drydock.CodeOf(err) == drydock.NotFound {
		return nil // with its registry
	}
	if err != nil {
		return err
	}
	m, err := runMessage(e, record, f.LoginServer(e.Subject))
	if err != nil {
		return err
	}
	for _, w := range hooks {
		if !w.Wants(drydock.RunAction) && !broken(record.Status) || !concerns(w, record, m.Run) {
			continue
		}
		if err := f.send(ctx, e, w, m); err != nil {
			return err
		}
	}
	return nil
}

// broken reports that a run ended badly by itself; nobody canceled it.
func broken(s drydock.RunStatus) bool {
	return s == drydock.RunFailed || s == drydock.RunError || s == drydock.RunTimeout
}

// concerns reports whether a run is in the scope of a webhook: by the images
// that it has pushed, or else by those that it was to. One of which it isn't
// known what it would have pushed concerns every webhook: a failure should
// rather be told of twice than never.
func concerns(w drydock.Webhook, record drydock.RunRecord, r *run) bool {
	if w.Scope == "" {
		return true
	}
	if len(r.Images) > 0 {
		return slices.ContainsFunc(r.Images, func(i image) bool {
			return strings.EqualFold(i.Registry, r.Registry) && w.Covers(i.Repository, i.Tag)
		})
	}
	var request drydock.RunRequest
	if json.Unmarshal(record.Request, &request) != nil || request.Kind != drydock.DockerBuildRun || len(request.Images) == 0 {
		return record.Status != drydock.RunSucceeded
	}
	return slices.ContainsFunc(request.Images, func(name string) bool {
		name = strings.TrimPrefix(strings.ToLower(name), strings.ToLower(r.Registry)+"/")
		repository, tag, tagged := strings.Cut(name, ":")
		if !tagged {
			tag = "latest"
		}
		// A tag that is made of the run's id can't be told now.
		return w.Covers(repository, tag) || strings.Contains(tag, "{{") && strings.HasPrefix(w.Scope, repository+":")
	})
}

func runMessage(e drydock.Event, r drydock.RunRecord, host string) (message, error) {
	trigger, err := drydock.ParseRunTrigger(r.Trigger)
	if err != nil {
		return message{}, fmt.Errorf("reading the trigger of run %s: %w", r.ID, err)
	}
	var result struct {
		OutputImages    []image
		RunErrorMessage string
	}
	if len(r.Result) > 0 {
		if err := json.Unmarshal(r.Result, &result); err != nil {
			return message{}, fmt.Errorf("reading the result of run %s: %w", r.ID, err)
		}
	}
	told := &run{
		ID: r.Registry.Child("runs", r.ID).String(), RunID: r.ID, Registry: host, Task: r.Task,
		Status: r.Status, Type: r.Type, Trigger: trigger.Name(),
		CreateTime: stamp(r.Created), StartTime: stampOr(r.Started), FinishTime: stampOr(r.Finished),
		Message: result.RunErrorMessage, Images: result.OutputImages, Cause: trigger.Cause,
	}
	m := message{
		Timestamp: stamp(e.Time), Action: drydock.RunAction, Text: sentence(told),
		Request: &request{ID: e.ID, Host: host}, Run: told,
	}
	if len(told.Images) > 0 {
		first := told.Images[0]
		m.Target = &target{Repository: first.Repository, Tag: first.Tag, Digest: first.Digest}
	}
	return m, nil
}

func stampOr(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return stamp(t)
}

// sentence says in words how a run ended and why it ran.
func sentence(r *run) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Run %s", r.RunID)
	if r.Task != "" {
		fmt.Fprintf(&b, " of task %s", r.Task)
	}
	fmt.Fprintf(&b, " in %s: %s", r.Registry, r.Status)
	if r.Message != "" {
		fmt.Fprintf(&b, ", %s", strings.TrimSuffix(r.Message, "."))
	}
	fmt.Fprintf(&b, " (%s", r.Trigger)
	if r.Cause != nil && len(r.Cause.Image) > 0 {
		fmt.Fprintf(&b, " of %s", r.Cause.Image[0].Image)
		if more := len(r.Cause.Image) - 1; more > 0 {
			fmt.Fprintf(&b, " and %d more", more)
		}
	} else if r.Cause != nil && r.Cause.By != "" {
		fmt.Fprintf(&b, ": %s", r.Cause.By)
	}
	b.WriteString(").")
	return b.String()
}
