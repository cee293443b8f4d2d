package baseimage_test

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/queue"
)

// manual queues a run that somebody asked for.
func (s *site) manual(name string) drydock.RunRecord {
	s.t.Helper()
	task := taskID(name)
	r, err := s.store.CreateRun(s.t.Context(), drydock.RunRecord{Registry: task.Parent(), Task: task.Name(), Created: time.Now()})
	s.must(err)
	return r
}

// begin takes a queued run to Running.
func (s *site) begin(r drydock.RunRecord) drydock.RunRecord {
	s.t.Helper()
	for _, to := range []drydock.RunStatus{drydock.RunStarted, drydock.RunRunning} {
		var err error
		r, err = queue.Transition(s.t.Context(), s.store, r.Registry, r.ID, r.Status, to, func(*drydock.RunRecord) error { return nil })
		s.must(err)
	}
	return r
}

// built is what a build was made from: bases and buildtime images as IMAGE or
// IMAGE=DIGEST, that digest instead of what the tag points at now.
type built struct {
	image, digest string // pushed; empty for none
	from          string
	buildtime     []string
}

// end ends a run as its builds went: their images are pushed, and in its result.
func (s *site) end(r drydock.RunRecord, status drydock.RunStatus, builds ...built) drydock.RunRecord {
	s.t.Helper()
	return s.endAs(r, status, nil, builds...)
}

// endDeclared lets a run fail that was to be built from some images.
func (s *site) endDeclared(r drydock.RunRecord, declared []string, builds ...built) drydock.RunRecord {
	s.t.Helper()
	return s.endAs(r, drydock.RunFailed, declared, builds...)
}

func (s *site) endAs(r drydock.RunRecord, status drydock.RunStatus, declared []string, builds ...built) drydock.RunRecord {
	s.t.Helper()
	if r.Status == drydock.RunQueued {
		r = s.begin(r)
	}
	var result struct {
		Dependencies []drydock.ImageDependencies `json:"dependencies"`
		OutputImages []drydock.ImageReference    `json:"outputImages"`
		Declared     any                         `json:"declaredBases,omitempty"`
	}
	if declared != nil {
		var images []any
		for _, name := range declared {
			images = append(images, map[string]string{"image": image(name).String(), "kind": "Runtime"})
		}
		result.Declared = map[string]any{"images": images, "complete": true}
	}
	for _, b := range builds {
		d := drydock.ImageDependencies{}
		if b.from != "" {
			ref := s.resolve(b.from)
			d.Runtime = &ref
		}
		for _, name := range b.buildtime {
			d.Buildtime = append(d.Buildtime, s.resolve(name))
		}
		if b.image != "" {
			if b.digest != "" {
				s.push(b.image, b.digest, r)
			}
			ref := s.resolve(b.image)
			d.Image = &ref
			result.OutputImages = append(result.OutputImages, ref)
		}
		result.Dependencies = append(result.Dependencies, d)
	}
	text, err := json.Marshal(result)
	s.must(err)
	r, err = queue.Transition(s.t.Context(), s.store, r.Registry, r.ID, drydock.RunRunning, status, func(r *drydock.RunRecord) error {
		r.Result, r.Finished = text, time.Now()
		return nil
	})
	s.must(err)
	return r
}

// resolve returns what a name means to a build just now.
func (s *site) resolve(name string) drydock.ImageReference {
	s.t.Helper()
	name, fixed, _ := strings.Cut(name, "=")
	n := image(name)
	ref := n.Reference()
	if fixed != "" {
		ref.Digest = digest(fixed)
		return ref
	}
	registry, _, err := hosts{s}.Registry(s.t.Context(), n.Registry)
	s.must(err)
	tags, err := s.store.Tags(s.t.Context(), drydock.TagFilter{Registry: registry, Repository: n.Repository, Name: n.Tag, Hidden: true})
	s.must(err)
	if len(tags) > 0 {
		ref.Digest = tags[0].Digest
	}
	return ref
}

// learn runs a task by hand to its end, so that it is known what it is built
// from.
func (s *site) learn(name string, builds ...built) {
	s.t.Helper()
	s.end(s.manual(name), drydock.RunSucceeded, builds...)
	s.settle()
}
