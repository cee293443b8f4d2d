package arm

import (
	"context"
	"strings"

	"github.com/drydockhq/drydock"
)

// taskRunOf returns the record and the request of a run of a task, as a checked
// request of a client asks for it.
func (s *Server) taskRunOf(ctx context.Context, registry drydock.ResourceID, doc object) (drydock.RunRecord, drydock.RunRequest, error) {
	task, err := s.taskNamed(ctx, registry, text(doc, "taskId"))
	if err != nil {
		return drydock.RunRecord{}, drydock.RunRequest{}, err
	}
	if strings.EqualFold(text(task.doc, "properties.status"), "Disabled") {
		return drydock.RunRecord{}, drydock.RunRequest{}, conflict("TaskDisabled", "The task '%s' is disabled.", task.ID.Name())
	}
	full, err := s.reveal(task, taskSecrets)
	if err != nil {
		return drydock.RunRecord{}, drydock.RunRequest{}, err
	}
	request, err := s.taskRequest(full)
	if err != nil {
		return drydock.RunRecord{}, drydock.RunRequest{}, err
	}
	override, _ := doc["overrideTaskStepProperties"].(object)
	if err := overrideStep(&request, override); err != nil {
		return drydock.RunRecord{}, drydock.RunRequest{}, err
	}
	if template := text(doc, "logTemplate"); template != "" {
		request.LogTemplate = template
	}
	if _, has := task.doc["identity"]; has {
		request.Identity = task.ID
	}
	record := drydock.RunRecord{Type: drydock.QuickRun, Task: task.ID.Name(), Pool: text(doc, "agentPoolName")}
	if request.Kind == drydock.DockerBuildRun {
		record.Type = drydock.QuickBuild
	}
	if record.Pool == "" {
		record.Pool = text(task.doc, "properties.agentPoolName")
	}
	return record, request, nil
}

// taskNamed returns the task with an id, which must be in a registry.
func (s *Server) taskNamed(ctx context.Context, registry drydock.ResourceID, taskID string) (*stored, error) {
	id, err := drydock.ParseResourceID(taskID)
	if err != nil || !strings.EqualFold(id.Type(), taskType) {
		return nil, badRequest("InvalidTaskId", "'%s' is not the id of a task.", shorten(taskID)).about("taskId")
	}
	if id.Parent().Key() != registry.Key() {
		return nil, badRequest("InvalidTaskId", "The task '%s' is not one of the registry '%s'.", id.Name(), registry.Name()).about("taskId")
	}
	return s.find(ctx, id)
}

// overrideStep applies what a client wants different in this one run.
func overrideStep(r *drydock.RunRequest, override object) error {
	if path := text(override, "contextPath"); path != "" {
		r.Source = path
	}
	if file := text(override, "file"); file != "" {
		switch r.Kind {
		case drydock.DockerBuildRun:
			r.Dockerfile = file
		case drydock.FileTaskRun:
			r.TaskFile = file
		default:
			const at = "overrideTaskStepProperties.file"
			return badRequest("InvalidRequestContent", "The property '%s' is not possible: the task has its steps in itself, and no file to name another in its place.", at).about(at)
		}
	}
	if target := text(override, "target"); target != "" {
		r.Target = target
	}
	if token := text(override, "updateTriggerToken"); token != "" {
		r.UpdateTriggerToken = token
	}
	r.Arguments = overrideValues(r.Arguments, runValues(override, "arguments"))
	r.Values = overrideValues(r.Values, runValues(override, "values"))
	return nil
}

// overrideValues replaces values by name and adds those that are new.
func overrideValues(values, changes []drydock.RunValue) []drydock.RunValue {
	for _, c := range changes {
		found := false
		for i, v := range values {
			if v.Name == c.Name {
				values[i], found = c, true
			}
		}
		if !found {
			values = append(values, c)
		}
	}
	return values
}
