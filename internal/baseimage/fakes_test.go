package baseimage_test

import (
	"context"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// tasks is what the resource manager knows of tasks.
type tasks struct {
	site        *site
	triggers    map[string]*drydock.TaskTriggers
	definitions map[string]string
	broken      map[string]error // of TaskRuns
}

// Triggers implements baseimage.Tasks.
func (t *tasks) Triggers(ctx context.Context, task drydock.ResourceID) (drydock.TaskTriggers, error) {
	found := t.triggers[task.Key()]
	if _, err := t.site.store.Resource(ctx, task); err != nil {
		return drydock.TaskTriggers{}, err
	}
	return *found, nil
}

// TaskRuns implements baseimage.Tasks.
func (t *tasks) TaskRuns(ctx context.Context, ids []drydock.ResourceID) ([]drydock.RunRecord, []error, error) {
	records, refused := make([]drydock.RunRecord, len(ids)), make([]error, len(ids))
	for i, id := range ids {
		records[i], refused[i] = t.taskRun(ctx, id)
	}
	return records, refused, nil
}

func (t *tasks) taskRun(ctx context.Context, task drydock.ResourceID) (drydock.RunRecord, error) {
	triggers, err := t.Triggers(ctx, task)
	if err != nil {
		return drydock.RunRecord{}, err
	}
	if err := t.broken[task.Key()]; err != nil {
		return drydock.RunRecord{}, err
	}
	if !triggers.Enabled {
		return drydock.RunRecord{}, drydock.Errorf(drydock.Conflict, "the task is disabled")
	}
	return drydock.RunRecord{
		Registry: task.Parent(), Task: task.Name(), Type: drydock.AutoBuild, Created: time.Now(),
		Request: []byte(t.definitions[task.Key()]),
	}, nil
}

// manifests reads those of the site's registries.
type manifests struct{ *site }

// Manifest implements baseimage.Manifests.
func (m manifests) Manifest(ctx context.Context, image drydock.ImageName, digest string) ([]byte, error) {
	registry, ours, err := hosts(m).Registry(ctx, image.Registry)
	if err != nil || !ours {
		return nil, drydock.Errorf(drydock.Unavailable, "not here")
	}
	found, err := m.store.Manifest(ctx, drydock.ArtifactRef{Registry: registry, Repository: image.Repository, Reference: digest})
	return found.Content, err
}

// surveyor reads what the site says.
type surveyor struct{ *site }

// Survey implements baseimage.Surveyor.
func (s surveyor) Survey(ctx context.Context, r drydock.RunRecord, skip func(drydock.ImageName) bool) (drydock.BuildSurvey, error) {
	if s.hangs != nil && s.hangs(r.Task) {
		<-ctx.Done()
		return drydock.BuildSurvey{}, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.surveyed = append(s.surveyed, r.Task)
	survey, ok := s.surveys[r.Registry.Child("tasks", r.Task).Key()]
	if !ok {
		return survey, drydock.Errorf(drydock.Unavailable, "the source can't be fetched")
	}
	for i := range survey.Bases {
		if b := &survey.Bases[i]; skip(b.Image) {
			b.Digest, b.Err = "", nil
		}
	}
	return survey, nil
}

// hosts knows the registries of a site.
type hosts struct{ *site }

// Registry implements baseimage.Hosts.
func (h hosts) Registry(ctx context.Context, host string) (drydock.ResourceID, bool, error) {
	name, ours := strings.CutSuffix(host, domain)
	if !ours {
		return drydock.ResourceID{}, false, nil
	}
	_, err := h.store.Resource(ctx, registryID(name))
	if drydock.CodeOf(err) == drydock.NotFound {
		return drydock.ResourceID{}, false, nil
	}
	return registryID(name), err == nil, err
}

// Host implements baseimage.Hosts.
func (hosts) Host(registry drydock.ResourceID) string { return registry.Name() + domain }
