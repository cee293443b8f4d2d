package arm

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/trigger"
)

// Sources knows how the repositories of source triggers are watched.
type Sources interface {
	SourceWatches(ctx context.Context, below drydock.ResourceID) ([]drydock.SourceWatch, error)
}

// checkSources checks the source triggers of a task: their patterns, and that
// their names tell them apart.
func checkSources(doc object) error {
	seen := map[string]bool{}
	for i, e := range list(doc, "properties.trigger.sourceTriggers") {
		o, _ := e.(object)
		name := text(o, "name")
		where := fmt.Sprintf("properties.trigger.sourceTriggers[%d]", i)
		if seen[name] {
			return badRequest("InvalidSourceTrigger", "Two source triggers have the name '%s'.", shorten(name)).about(where + ".name")
		}
		seen[name] = true
		var wrong *drydock.Error
		if _, err := trigger.NewSource(sourceTrigger(o, doc)); errors.As(err, &wrong) {
			return badRequest("InvalidSourceTrigger", "%s.", strings.ToUpper(wrong.Message[:1])+wrong.Message[1:]).about(where)
		}
	}
	return nil
}

// sourceWatches returns how repositories are watched, by the keys of their tasks.
func (s *Server) sourceWatches(ctx context.Context, below drydock.ResourceID) (map[string][]drydock.SourceWatch, error) {
	all, err := s.c.Sources.SourceWatches(ctx, below)
	watches := map[string][]drydock.SourceWatch{}
	for _, w := range all {
		if w.State != drydock.WatchRemoving {
			watches[w.Task.Key()] = append(watches[w.Task.Key()], w)
		}
	}
	return watches, err
}

// showSources adds to the source triggers of a task how they are watched, and
// what went wrong.
func showSources(task object, watches []drydock.SourceWatch) {
	for _, e := range list(task, "sourceTriggers") {
		doc, _ := e.(object)
		for _, w := range watches {
			if w.Trigger != text(doc, "name") {
				continue
			}
			for key, value := range map[string]string{"watch": string(w.State), "provider": w.Provider, "problem": w.Problem, "failure": w.Failure} {
				if value != "" {
					doc[key] = value
				}
			}
			if !w.Looked.IsZero() {
				doc["checked"] = timestamp(w.Looked)
			}
			if !w.Delivered.IsZero() {
				doc["delivered"] = timestamp(w.Delivered)
			}
		}
	}
}
