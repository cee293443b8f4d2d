package arm

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/trigger"
)

// Images knows what tasks are built from.
type Images interface {
	// TaskImages returns what is known of tasks, in their order.
	TaskImages(ctx context.Context, tasks ...drydock.ResourceID) ([]drydock.TaskImages, error)

	// RegistryImages returns what is known of the tasks of a registry, or of all
	// with the zero id.
	RegistryImages(ctx context.Context, registry drydock.ResourceID) ([]drydock.TaskImages, error)
}

// listDependencies shows what starts the tasks of a registry, or of all that
// may be read: what they are built from, what they push, and what they watch.
func (s *Server) listDependencies(req *request) (*answer, error) {
	ctx := req.Context()
	registry := req.scope
	if registry.Group == "" {
		registry = drydock.ResourceID{}
	} else if _, err := s.find(ctx, registry); err != nil {
		return nil, err
	}
	found, err := s.c.Resources.Resources(ctx, drydock.ResourceFilter{Below: req.scope, Type: taskType})
	if err != nil {
		return nil, err
	}
	views, err := s.c.ImagesViewer.ViewTaskImages(ctx, registry)
	if err != nil {
		return nil, err
	}
	polls, err := s.imagePolls(ctx)
	if err != nil {
		return nil, err
	}
	sources, err := s.sourceWatches(ctx, req.scope)
	if err != nil {
		return nil, err
	}
	known := map[string]drydock.TaskImagesView{}
	for _, v := range views {
		known[v.Task.Key()] = v
	}
	paused := map[string]bool{}
	var docs []any
	for _, r := range found {
		if !req.rights.Allow(taskType+"/read", r.ID) {
			continue
		}
		st, err := open(r)
		if err != nil {
			return nil, err
		}
		if st.deleting() {
			continue
		}
		held, asked := paused[r.ID.Parent().Key()]
		if !asked {
			if held, err = s.paused(ctx, r.ID.Parent()); err != nil {
				return nil, err
			}
			paused[r.ID.Parent().Key()] = held
		}
		view := known[r.ID.Key()]
		view.Known.Paused = held
		doc := s.dependencyDoc(req, st, view, polls)
		showSources(doc, sources[st.ID.Key()])
		docs = append(docs, doc)
	}
	return req.page(docs)
}

// paused reports whether a registry holds its triggers back.
func (s *Server) paused(ctx context.Context, registry drydock.ResourceID) (bool, error) {
	st, err := s.load(ctx, registry)
	if err != nil {
		return false, err
	}
	return triggersPaused(st.doc), nil
}

func triggersPaused(registry object) bool {
	return strings.EqualFold(text(registry, "properties.taskTriggers.status"), "Paused")
}

func (s *Server) dependencyDoc(req *request, st *stored, view drydock.TaskImagesView, polls map[drydock.ImageName]drydock.ImagePoll) object {
	doc := object{
		"id": st.ID.String(), "name": st.ID.Name(), "registry": st.ID.Parent().Name(), "loginServer": s.loginServer(req.Context(), st.ID.Parent().Name()),
		"status": "Enabled", "paused": view.Known.Paused, "due": view.Due, "stale": false,
		"baseImages": []any{}, "outputs": []any{}, "timerTriggers": timerDocs(st.doc, s.c.Now()), "sourceTriggers": sourceDocs(st.doc),
	}
	if !enabled(st.doc, "properties.status") {
		doc["status"] = "Disabled"
	}
	if t, ok := at(st.doc, "properties.trigger.baseImageTrigger").(object); ok {
		b := baseImageTrigger(t)
		doc["baseImageTrigger"] = object{"name": b.Name, "type": string(b.Type), "status": status(b.Enabled)}
	}
	bases := []any{}
	for _, b := range view.Bases {
		base := baseDoc(req, b)
		showPoll(base, polls[b.Image])
		bases = append(bases, base)
		if b.Stale {
			doc["stale"] = true
		}
	}
	doc["baseImages"] = bases
	if r := view.Failed; r.ID != "" {
		doc["staleReason"] = failure(r)
	}
	outputs := []any{}
	for _, image := range view.Known.Outputs {
		outputs = append(outputs, image.String())
	}
	doc["outputs"] = outputs
	if view.Known.Learnt > 0 {
		doc["learntFrom"] = drydock.RunID(view.Known.Learnt)
	}
	if view.Known.Problem != "" {
		doc["problem"] = view.Known.Problem
	}
	why := unarmed(st, view)
	if doc["armed"] = why == ""; why != "" {
		doc["reason"] = why
	}
	waits := []any{}
	for _, w := range view.Waiting {
		if req.rights.Allow(taskType+"/read", w.Task) {
			waits = append(waits, object{"task": w.Task.String(), "why": w.Why})
		}
	}
	doc["waitsFor"] = waits
	return doc
}

// failure says in words which run of a task did not succeed.
func failure(r drydock.RunRecord) string {
	how := "failed"
	switch r.Status {
	case drydock.RunCanceled:
		how = "was canceled"
	case drydock.RunTimeout:
		how = "timed out"
	}
	return "its newest run " + how + ": " + r.ID
}

func status(on bool) string {
	if on {
		return "Enabled"
	}
	return "Disabled"
}

// unarmed says why no base image can start a run of a task, "" if one can.
func unarmed(st *stored, view drydock.TaskImagesView) string {
	trigger, has := at(st.doc, "properties.trigger.baseImageTrigger").(object)
	switch {
	case flag(st.doc, "properties.isSystemTask", false):
		return "it is a system task"
	case !enabled(st.doc, "properties.status"):
		return "the task is disabled"
	case !has:
		return "it has no base image trigger"
	case !enabled(trigger, "status"):
		return "its base image trigger is disabled"
	case len(view.Bases) == 0 && view.Known.Problem != "":
		return "what it is built from can't be told before its first run: " + view.Known.Problem
	case len(view.Bases) == 0 && view.Known.Learnt == 0 && view.Known.Armed.IsZero():
		return "nothing is known of its base images yet"
	case len(view.Bases) == 0:
		return "it is built from no image"
	case view.Known.Paused:
		return "the triggers of the registry are paused"
	}
	note := ""
	for _, b := range view.Bases {
		if b.Note == "" {
			return ""
		}
		note = b.Note
	}
	if len(view.Bases) > 1 {
		return "none of its base images can start a run"
	}
	return note
}

func baseDoc(req *request, b drydock.BaseImageView) object {
	doc := object{
		"image": b.Image.String(), "registry": b.Image.Registry, "repository": b.Image.Repository, "tag": b.Image.Tag,
		"type": string(b.Kind), "digest": b.Stands, "watched": b.Note == "", "stale": b.Stale, "due": b.Due,
	}
	if b.Image.Pinned() {
		doc["digest"] = b.Image.Digest
	}
	if b.Note != "" {
		doc["note"] = b.Note
	}
	for key, value := range map[string]string{"currentDigest": b.Now.Digest, "previousDigest": b.Now.Previous} {
		if value != "" {
			doc[key] = value
		}
	}
	if !b.Now.Changed.IsZero() {
		doc["changed"] = timestamp(b.Now.Changed)
		if b.Now.Digest == "" {
			doc["problem"] = "the tag was deleted"
		}
	}
	if b.Now.Run.Subscription != "" && req.rights.Allow(runType+"/read", b.Now.Run) {
		doc["run"] = b.Now.Run.String()
	}
	producers := []any{}
	for _, id := range b.Producers {
		if req.rights.Allow(taskType+"/read", id) {
			producers = append(producers, id.String())
		}
	}
	doc["producers"] = producers
	return doc
}

func timerDocs(doc object, now time.Time) []any {
	docs := []any{}
	for _, e := range list(doc, "properties.trigger.timerTriggers") {
		timer, _ := e.(object)
		d := object{"name": text(timer, "name"), "schedule": text(timer, "schedule"), "status": status(enabled(timer, "status"))}
		if s, err := trigger.ParseSchedule(text(timer, "schedule")); err == nil && enabled(timer, "status") {
			d["nextOccurrence"] = timestamp(s.Next(now))
		}
		docs = append(docs, d)
	}
	return docs
}

func sourceDocs(doc object) []any {
	docs := []any{}
	for _, e := range list(doc, "properties.trigger.sourceTriggers") {
		source, _ := e.(object)
		repository := text(source, "sourceRepository.repositoryUrl")
		if u, err := url.Parse(repository); err == nil && u.User != nil {
			u.User = nil
			repository = u.String()
		}
		docs = append(docs, object{
			"name": text(source, "name"), "status": status(enabled(source, "status")), "repositoryUrl": repository,
			"branch": text(source, "sourceRepository.branch"), "events": list(source, "sourceTriggerEvents"),
		})
	}
	return docs
}
