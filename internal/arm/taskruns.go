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
		task, err := open(r)
		switch {
		case err != nil:
			refused[i] = err
		case task.deleting():
			refused[i] = drydock.Errorf(drydock.NotFound, "the task %s is being deleted", r.ID)
		default:
			records[i], refused[i] = s.autoRun(task, nil)
		}
	}
	return records, refused, nil
}
