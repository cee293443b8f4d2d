package arm

import (
	"context"
	"strings"

	"github.com/drydockhq/drydock"
)

// Triggers returns what starts runs of a task by itself. A task that is not
// there, or is going, is an error with code NotFound.
func (s *Server) Triggers(ctx context.Context, id drydock.ResourceID) (drydock.TaskTriggers, error) {
	task, err := s.goodTask(ctx, id)
	if err != nil {
		return drydock.TaskTriggers{}, err
	}
	registry, err := s.load(ctx, id.Parent())
	if err != nil {
		return drydock.TaskTriggers{}, err
	}
	doc, err := s.reveal(task, taskSecrets)
	if err != nil {
		return drydock.TaskTriggers{}, err
	}
	t := drydock.TaskTriggers{
		Task:    task.ID,
		Enabled: enabled(doc, "properties.status") && !flag(doc, "properties.isSystemTask", false),
		Paused:  triggersPaused(registry.doc),
		Changed: task.Updated,
	}
	for _, e := range list(doc, "properties.trigger.sourceTriggers") {
		if o, ok := e.(object); ok {
			t.Source = append(t.Source, sourceTrigger(o, doc))
		}
	}
	for _, e := range list(doc, "properties.trigger.timerTriggers") {
		if o, ok := e.(object); ok {
			t.Timers = append(t.Timers, drydock.TimerTrigger{
				Name: text(o, "name"), Enabled: enabled(o, "status"), Schedule: text(o, "schedule"),
			})
		}
	}
	if o, ok := at(doc, "properties.trigger.baseImageTrigger").(object); ok {
		t.BaseImage = baseImageTrigger(o)
	}
	return t, nil
}

// goodTask returns a task that is there to stay.
func (s *Server) goodTask(ctx context.Context, id drydock.ResourceID) (*stored, error) {
	task, err := s.load(ctx, id)
	if err != nil {
		return nil, err
	}
	if !task.exists() || task.deleting() {
		return nil, drydock.Errorf(drydock.NotFound, "there is no task %s", id)
	}
	return task, nil
}

func enabled(doc object, path string) bool { return !strings.EqualFold(text(doc, path), "Disabled") }

// sourceTrigger reads a source trigger of a task. One without a token has that of
// the task's context, where it has none for another repository.
func sourceTrigger(o, task object) drydock.SourceTrigger {
	t := drydock.SourceTrigger{
		Name: text(o, "name"), Enabled: enabled(o, "status"),
		Repository:       text(o, "sourceRepository.repositoryUrl"),
		Branch:           text(o, "sourceRepository.branch"),
		Token:            text(o, "sourceRepository.sourceControlAuthProperties.token"),
		ForkSecrets:      flag(o, "forkSecrets", false),
		CancelSuperseded: flag(o, "cancelSuperseded", false),
	}
	if t.Token == "" && t.Repository == text(task, "properties.step.contextPath") {
		t.Token = text(task, "properties.step.contextAccessToken")
	}
	for _, e := range list(o, "paths") {
		t.Paths = append(t.Paths, asText(e))
	}
	for _, e := range list(o, "sourceTriggerEvents") {
		t.Commit = t.Commit || strings.EqualFold(asText(e), "commit")
		t.Pull = t.Pull || strings.EqualFold(asText(e), "pullrequest")
	}
	return t
}

func baseImageTrigger(o object) *drydock.BaseImageTrigger {
	t := &drydock.BaseImageTrigger{
		Name: text(o, "name"), Enabled: enabled(o, "status"), Type: drydock.RuntimeImages,
		Endpoint: text(o, "updateTriggerEndpoint"), Payload: "Default",
	}
	if strings.EqualFold(text(o, "baseImageTriggerType"), string(drydock.AllImages)) {
		t.Type = drydock.AllImages
	}
	if strings.EqualFold(text(o, "updateTriggerPayloadType"), "Token") {
		t.Payload = "Token"
	}
	return t
}

// TaskRun returns the record of a run of a task that nobody asked for, ready to
// be created: with its secrets sealed, and without a trigger. Change, if it is
// not nil, alters its request. A task that is disabled is an error with code
// Conflict, one that is not there with code NotFound.
func (s *Server) TaskRun(ctx context.Context, id drydock.ResourceID, change func(*drydock.RunRequest)) (drydock.RunRecord, error) {
	task, err := s.goodTask(ctx, id)
	if err != nil {
		return drydock.RunRecord{}, err
	}
	return s.autoRun(task, change)
}

// autoRun returns the record of a run of a task that nobody asked for.
func (s *Server) autoRun(task *stored, change func(*drydock.RunRequest)) (drydock.RunRecord, error) {
	record, request, err := s.runOfTask(task)
	if err != nil {
		return drydock.RunRecord{}, err
	}
	record.Type = drydock.AutoRun
	if request.Kind == drydock.DockerBuildRun {
		record.Type = drydock.AutoBuild
	}
	if change != nil {
		change(&request)
	}
	record.Registry, record.Status, record.Created = task.ID.Parent(), drydock.RunQueued, s.c.Now()
	record.Updated = record.Created
	return record, s.fillRequest(&record, request)
}
