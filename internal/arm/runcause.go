package arm

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// longestChain is how many runs are followed back from one.
const longestChain = 500

// causedRun is a run with what led to it.
type causedRun struct {
	drydock.RunRecord
	drydock.RunTrigger
	event *drydock.Event // that made it due; nil if it is not kept any more
}

// showCause explains why a run ran: what happened, and the runs that led to it.
func (s *Server) showCause(req *request) (*answer, error) {
	record, err := s.runOf(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	run, err := s.caused(req.Context(), record)
	if err != nil {
		return nil, err
	}
	chain, err := s.chain(req, run)
	if err != nil {
		return nil, err
	}
	story := &story{server: s, ctx: req.Context(), run: run, chain: chain}
	if !run.Status.Ended() {
		if story.before, story.going, err = s.queueAround(req.Context(), record); err != nil {
			return nil, err
		}
	}
	docs := make([]any, len(chain))
	for i, c := range chain {
		docs[i] = s.causeDoc(req, c)
	}
	body := s.causeDoc(req, run)
	body["chain"], body["explanation"] = docs, story.tell()
	return ok(body)
}

// caused reads what led to a run.
func (s *Server) caused(ctx context.Context, record drydock.RunRecord) (causedRun, error) {
	run := causedRun{RunRecord: record}
	var err error
	if run.RunTrigger, err = drydock.ParseRunTrigger(record.Trigger); err != nil {
		return run, fmt.Errorf("reading the trigger of run %s: %w", record.ID, err)
	}
	if run.Cause == nil || run.Cause.Event == 0 {
		return run, nil
	}
	events, err := s.c.Events.Events(ctx, run.Cause.Event-1, 1)
	if err != nil {
		return run, err
	}
	if len(events) == 1 && events[0].Number == run.Cause.Event {
		run.event = &events[0]
	}
	return run, nil
}

// chain returns the runs that led to one, over all registries, the oldest first,
// as far as they may be read.
func (s *Server) chain(req *request, run causedRun) ([]causedRun, error) {
	seen := map[string]bool{run.Registry.Child("runs", run.ID).Key(): true}
	var found []causedRun
	for queue := before(run); len(queue) > 0 && len(found) < longestChain; queue = queue[1:] {
		id := queue[0]
		if seen[id.Key()] || !req.rights.Allow(runType+"/read", id) {
			continue
		}
		seen[id.Key()] = true
		record, err := s.c.Runs.Run(req.Context(), id.Parent(), id.Name())
		if drydock.CodeOf(err) == drydock.NotFound {
			continue // with its registry
		}
		if err != nil {
			return nil, err
		}
		c, err := s.caused(req.Context(), record)
		if err != nil {
			return nil, err
		}
		found = append(found, c)
		queue = append(queue, before(c)...)
	}
	slices.SortStableFunc(found, func(a, b causedRun) int {
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.Registry.Key(), b.Registry.Key()), cmp.Compare(a.Number, b.Number))
	})
	return found, nil
}

// before returns the runs that pushed the images that made a run due.
func before(run causedRun) []drydock.ResourceID {
	if run.Cause == nil {
		return nil
	}
	var ids []drydock.ResourceID
	for _, image := range run.Cause.Image {
		if id, err := drydock.ParseResourceID(image.Run); image.Run != "" && err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// queueAround counts the runs that were queued before one that is, and those
// that go on.
func (s *Server) queueAround(ctx context.Context, run drydock.RunRecord) (before, going int, err error) {
	active, err := s.c.Runs.Runs(ctx, drydock.RunFilter{OnlyActive: true, Brief: true})
	for _, r := range active {
		switch {
		case !strings.EqualFold(r.Pool, run.Pool) || run.Pool != "" && r.Registry.Key() != run.Registry.Key():
		case r.Status != drydock.RunQueued:
			going++
		case r.Created.Before(run.Created):
			before++
		}
	}
	return before, going, err
}

// causeDoc shows a run with what led to it.
func (s *Server) causeDoc(req *request, run causedRun) object {
	doc := object{
		"id": run.Registry.Child("runs", run.ID).String(), "runId": run.ID, "registry": run.Registry.Name(), "status": string(run.Status),
		"trigger": run.Name(), "createTime": timestamp(run.Created),
	}
	if run.Task != "" {
		doc["task"] = run.Task
	}
	for key, t := range map[string]string{"startTime": stampOf(run.Started), "finishTime": stampOf(run.Finished)} {
		if t != "" {
			doc[key] = t
		}
	}
	var trigger object
	if len(run.Trigger) > 0 {
		trigger, _ = parseObject(run.Trigger) // it was read before
	}
	for _, key := range []string{"sourceTrigger", "timerTrigger", "imageUpdateTrigger"} {
		if t, there := trigger[key]; there {
			doc[key] = t
		}
	}
	if cause, ok := trigger["cause"].(object); ok {
		s.hideRuns(req, cause)
		doc["cause"] = cause
	}
	if run.event != nil {
		event := object{"number": run.event.Number, "kind": run.event.Kind, "time": timestamp(run.event.Time)}
		if actor := s.actorOf(req.Context(), run.event); actor != "" {
			event["by"] = actor
		}
		doc["event"] = event
	}
	return doc
}

// hideRuns takes the runs out of a cause that may not be read.
func (s *Server) hideRuns(req *request, cause object) {
	for _, e := range list(cause, "images") {
		image, _ := e.(object)
		id, err := drydock.ParseResourceID(text(image, "run"))
		if err != nil || !req.rights.Allow(runType+"/read", id) {
			delete(image, "run")
		}
	}
}

// actorOf says who caused an event, "" if that is not known.
func (s *Server) actorOf(ctx context.Context, e *drydock.Event) string {
	switch e.Kind {
	case drydock.PushEvent:
		var push drydock.RegistryEvent
		if json.Unmarshal(e.Data, &push) != nil {
			return ""
		}
		if id, err := drydock.ParseResourceID(push.Run); push.Run != "" && err == nil {
			return runWords(id)
		}
		p, err := s.c.Principals.Principal(ctx, push.Actor)
		if err != nil {
			return ""
		}
		return principalWords(p)
	case drydock.CommitEvent, drydock.PullRequestEvent:
		var change drydock.SourceChange
		if json.Unmarshal(e.Data, &change) == nil {
			return change.Actor
		}
	}
	return ""
}

func runWords(id drydock.ResourceID) string {
	return fmt.Sprintf("run %s in registry %s", id.Name(), id.Parent().Name())
}

// principalWords says who somebody is.
func principalWords(p drydock.Principal) string {
	switch p.Kind {
	case drydock.RunIdentity:
		return runWords(p.Owner)
	case drydock.ManagedIdentity:
		return "the identity of " + p.Owner.Name()
	case drydock.AdminUser:
		return "the admin user of registry " + p.Owner.Name()
	}
	return p.Name
}

// askedFor is the trigger of a run that somebody asks for now: none of ACR's,
// but who it was.
func (s *Server) askedFor(ctx context.Context) ([]byte, error) {
	cause := &drydock.RunCause{Time: s.c.Now()}
	if p, ok := auth.PrincipalFrom(ctx); ok {
		cause.By = "asked for by " + principalWords(p)
	}
	return json.Marshal(drydock.RunTrigger{Cause: cause})
}
