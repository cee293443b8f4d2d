package arm

import (
	"context"

	"github.com/drydockhq/drydock"
)

// TaskRuns returns the records of runs of several tasks, each as TaskRun does,
// with an error for each one that it can't be made for. It reads the tasks
// together.
func (s *Server) TaskRuns(ctx context.Context, ids []drydock.ResourceID) (records []drydock.RunRecord, refused []error, err error) {
	found, err := s.c.Resources.Resources(ctx, drydock.ResourceFilter{IDs: ids})
	if err != nil {
		return nil, nil, err
	}
	tasks := make(map[string]drydock.Resource, len(found))
	for _, r := range found {
		tasks[r.ID.Key()] = r
	}
	records, refused = make([]drydock.RunRecord, len(ids)), make([]error, len(ids))
	for i, id := range ids {
		r, there := tasks[id.Key()]
		if !there {
			refused[i] = drydock.Errorf(drydock.NotFound, "there is no task %s", id)
			continue
		}
		records[i], refused[i] = s.autoRun(r)
	}
	return records, refused, nil
}

// autoRun returns the record of a run of a task that nobody asked for.
func (s *Server) autoRun(r drydock.Resource) (drydock.RunRecord, error) {
	task, err := open(r)
	if err != nil {
		return drydock.RunRecord{}, err
	}
	if task.deleting() {
		return drydock.RunRecord{}, drydock.Errorf(drydock.NotFound, "the task %s is being deleted", r.ID)
	}
	record, request, err := s.runOfTask(task)
	if err != nil {
		return drydock.RunRecord{}, err
	}
	record.Type = drydock.AutoRun
	if request.Kind == drydock.DockerBuildRun {
		record.Type = drydock.AutoBuild
	}
	record.Registry, record.Status, record.Created = r.ID.Parent(), drydock.RunQueued, s.c.Now()
	record.Updated = record.Created
	return record, s.fillRequest(&record, request)
}
