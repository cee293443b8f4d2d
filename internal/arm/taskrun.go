package arm

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"

	"github.com/drydockhq/drydock"
)

var taskRunFields = slices.Concat(
	kinds(anObject, "properties"),
	kinds(aString, "location", "properties.forceUpdateTag"),
	[]field{{path: "properties.runRequest", kind: anObject, required: true}},
	identityFields,
)

var computedOfTaskRun = []string{"provisioningState", "runResult"}

// taskRunStates say how a task run stands, by the state of its run.
var taskRunStates = map[drydock.RunStatus]string{
	drydock.RunQueued: "Creating", drydock.RunStarted: "Creating", drydock.RunRunning: "Creating",
	drydock.RunSucceeded: succeeded, drydock.RunCanceled: "Canceled",
	drydock.RunFailed: "Failed", drydock.RunError: "Failed", drydock.RunTimeout: "Failed",
}

// putTaskRun stores a task run and begins its run, unless there is one of the
// same request and forceUpdateTag.
func (s *Server) putTaskRun(req *request) (*answer, error) {
	return s.putChild(req, taskRunFields, func(ctx context.Context, st *stored, next object) error {
		st.doc = withoutComputed(next, computedOfTaskRun...)
		return s.runAgain(ctx, st)
	}, s.finishTaskRun, s.taskRunDoc)
}

func (s *Server) patchTaskRun(req *request) (*answer, error) {
	fields := optional(taskRunFields, "properties.runRequest")
	return s.patchChild(req, fields, func(ctx context.Context, st *stored, patch object) error {
		old, err := s.reveal(st, taskRunSecrets)
		if err != nil {
			return err
		}
		withoutComputed(patch, computedOfTaskRun...)
		if _, given := at(patch, "properties.runRequest").(object); given {
			// Requests of two types have little in common: a new one is whole.
			delete(child(old, "properties"), "runRequest")
		}
		foldIdentities(old, patch)
		st.doc = merge(old, patch)
		return s.runAgain(ctx, st)
	}, s.finishTaskRun, s.taskRunDoc)
}

func (s *Server) finishTaskRun(st *stored) error {
	if err := s.takeIdentity(st); err != nil {
		return err
	}
	return s.hide(st, taskRunSecrets)
}

// runAgain begins the run of a task run whose request is not the one that was run
// last.
func (s *Server) runAgain(ctx context.Context, st *stored) error {
	request, ok := at(st.doc, "properties.runRequest").(object)
	if !ok {
		return errors.New("a task run without a request got past its check")
	}
	registry := st.ID.Parent()
	var own drydock.ResourceID
	if systemAssigned(st.doc) || userAssigned(st.doc) {
		own = st.ID
	}
	record, err := s.newRunAs(ctx, registry, request, own)
	if err != nil {
		return err
	}
	asked, err := json.Marshal([]any{request, text(st.doc, "properties.forceUpdateTag")})
	if err != nil {
		return err
	}
	// The request may hold secrets, so what is compared is sealed like them.
	if old, err := s.openNote(st, "asked"); err == nil && old == string(asked) {
		return nil
	}
	st.begins = &record
	st.ours["asked"] = base64.StdEncoding.EncodeToString(s.c.Sealer.Seal(asked, resourcePurpose(st)))
	return nil
}

// openNote returns a sealed note about a resource.
func (s *Server) openNote(st *stored, key string) (string, error) {
	sealed, err := base64.StdEncoding.DecodeString(text(st.ours, key))
	if err != nil {
		return "", err
	}
	plain, err := s.c.Sealer.Open(sealed, resourcePurpose(st))
	return string(plain), err
}

func (s *Server) taskRunDoc(ctx context.Context, st *stored) (object, error) {
	doc := st.envelope()
	properties := child(doc, "properties")
	run, err := s.c.Runs.Run(ctx, st.ID.Parent(), text(st.ours, "run"))
	switch {
	case drydock.CodeOf(err) == drydock.NotFound:
		properties["provisioningState"] = succeeded // of a run that was not kept
	case err != nil:
		return nil, err
	default:
		if properties["runResult"], err = s.runDoc(ctx, run); err != nil {
			return nil, err
		}
		properties["provisioningState"] = taskRunStates[run.Status]
	}
	if st.deleting() {
		properties["provisioningState"] = deletingState
	}
	return doc, s.showIdentity(ctx, st, doc)
}

func (s *Server) showTaskRun(req *request) (*answer, error) {
	return s.showChild(req, s.taskRunDoc)
}

func (s *Server) detailTaskRun(req *request) (*answer, error) {
	st, err := s.find(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	if st.doc, err = s.reveal(st, taskRunSecrets); err != nil {
		return nil, err
	}
	return s.childAnswer(req.Context(), st, s.taskRunDoc)
}

func (s *Server) listTaskRuns(req *request) (*answer, error) {
	return s.listOf(req, taskRunType, s.taskRunDoc)
}
