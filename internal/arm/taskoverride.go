package arm

import (
	"context"
	"slices"
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
	record, request, err := s.runOfTask(task)
	if err != nil {
		return record, request, err
	}
	override, _ := doc["overrideTaskStepProperties"].(object)
	plain := request
	plain.Arguments, plain.Values = slices.Clone(request.Arguments), slices.Clone(request.Values)
	if err := overrideStep(&request, override); err != nil {
		return drydock.RunRecord{}, drydock.RunRequest{}, err
	}
	record.Altered = alters(plain, request)
	if template := text(doc, "logTemplate"); template != "" {
		request.LogTemplate = template
	}
	if pool := text(doc, "agentPoolName"); pool != "" {
		record.Pool = pool
	}
	record.Type = drydock.QuickRun
	if request.Kind == drydock.DockerBuildRun {
		record.Type = drydock.QuickBuild
	}
	return record, request, nil
}

// runOfTask returns what runs of a task have in common, however they started.
func (s *Server) runOfTask(task *stored) (drydock.RunRecord, drydock.RunRequest, error) {
	if !enabled(task.doc, "properties.status") {
		return drydock.RunRecord{}, drydock.RunRequest{}, conflict("TaskDisabled", "The task '%s' is disabled.", task.ID.Name())
	}
	doc, err := s.reveal(task, taskSecrets)
	if err != nil {
		return drydock.RunRecord{}, drydock.RunRequest{}, err
	}
	request, err := s.taskRequest(doc)
	if err != nil {
		return drydock.RunRecord{}, drydock.RunRequest{}, err
	}
	request.Identity = task.ID // whatever identities it has when they are needed
	if o, ok := at(doc, "properties.trigger.baseImageTrigger").(object); ok {
		if t := baseImageTrigger(o); t.Endpoint != "" && t.Enabled {
			request.TellUpdates = t.Payload
		}
	}
	return drydock.RunRecord{Task: task.ID.Name(), Pool: text(task.doc, "properties.agentPoolName")}, request, nil
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

// alters reports whether one run of a task may be made from something else than
// its others.
func alters(plain, request drydock.RunRequest) bool {
	return plain.Source != request.Source || plain.Dockerfile != request.Dockerfile || plain.TaskFile != request.TaskFile ||
		plain.Target != request.Target || !slices.Equal(plain.Arguments, request.Arguments) || !slices.Equal(plain.Values, request.Values)
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
