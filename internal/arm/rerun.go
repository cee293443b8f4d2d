package arm

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
)

// rerunRun queues a run that repeats one that has ended.
func (s *Server) rerunRun(req *request) (*answer, error) {
	ctx := req.Context()
	old, err := s.runOf(ctx, req.scope)
	if err != nil {
		return nil, err
	}
	if _, err := s.registryForRuns(ctx, old.Registry); err != nil {
		return nil, err
	}
	record, err := s.repeat(ctx, old)
	if err != nil {
		return nil, err
	}
	if record, err = s.c.Queue.Enqueue(ctx, record); err != nil {
		return nil, err
	}
	return s.runAnswer(req.Context(), record)
}

// repeat returns the record of a run like one that has ended: of the same
// request with its secrets, and the same source.
func (s *Server) repeat(ctx context.Context, old drydock.RunRecord) (drydock.RunRecord, error) {
	none := drydock.RunRecord{}
	if !old.Status.Ended() {
		return none, conflict("RunNotEnded", "The run '%s' is %s. It can be repeated when it has ended.", old.ID, old.Status)
	}
	request, err := s.openRequest(old)
	if err != nil {
		return none, err
	}
	if err := s.repeatable(ctx, old, request); err != nil {
		return none, err
	}
	if err := pin(&request, old.Result); err != nil {
		return none, fmt.Errorf("reading the result of run %s: %w", old.ID, err)
	}
	request.RerunOf = old.ID
	nameCaller(ctx, &request)
	altered, err := s.altered(ctx, old, request)
	if err != nil {
		return none, err
	}
	record := drydock.RunRecord{
		Registry: old.Registry, Status: drydock.RunQueued, Type: old.Type, Task: old.Task, Pool: old.Pool, Trigger: old.Trigger,
		Created: s.c.Now(), Archived: old.Archived, Altered: altered,
	}
	record.Updated = record.Created
	return record, s.fillRequest(&record, request)
}

// repeatable checks that all is still there that a run needs.
func (s *Server) repeatable(ctx context.Context, old drydock.RunRecord, r drydock.RunRequest) error {
	if old.Task != "" {
		task, err := s.load(ctx, old.Registry.Child("tasks", old.Task))
		switch {
		case err != nil:
			return err
		case !task.exists() || task.deleting():
			return conflict("TaskNotFound", "The run '%s' can't be repeated: its task '%s' is gone.", old.ID, old.Task)
		case strings.EqualFold(text(task.doc, "properties.status"), "Disabled"):
			return conflict("TaskDisabled", "The task '%s' is disabled.", old.Task)
		}
	}
	if err := s.checkPool(ctx, old.Registry, old.Pool); err != nil {
		return err
	}
	if err := s.checkPlatform(r, ""); err != nil {
		return err
	}
	gone, err := s.c.Blobs.UploadGone(ctx, old.Registry, r.Source)
	if err == nil && gone {
		return conflict("SourceNotFound", "The run '%s' can't be repeated: its uploaded source '%s' is not kept any more. Upload it again, as 'acr build' and 'acr run' do.", old.ID, shorten(r.Source))
	}
	return err
}

// openRequest returns the request of a run with its secrets.
func (s *Server) openRequest(run drydock.RunRecord) (drydock.RunRequest, error) {
	var request drydock.RunRequest
	if err := json.Unmarshal(run.Request, &request); err != nil {
		return request, fmt.Errorf("reading the request of run %s: %w", run.ID, err)
	}
	if len(run.Secrets) == 0 {
		return request, nil
	}
	var secrets drydock.RunSecrets
	plain, err := s.c.Sealer.Open(run.Secrets, drydock.RunSecretsPurpose(run.Registry))
	if err == nil {
		err = json.Unmarshal(plain, &secrets)
	}
	if err != nil {
		return request, fmt.Errorf("opening the secrets of run %s: %w", run.ID, err)
	}
	return request.Join(secrets), nil
}

// pin pins the source of a request to what the result of a run says that it was.
// A run that ended before it had its source pins nothing.
func pin(r *drydock.RunRequest, result []byte) error {
	if len(result) == 0 {
		return nil
	}
	var was struct{ Commit, Branch, SourceDigest string }
	if err := json.Unmarshal(result, &was); err != nil {
		return err
	}
	if was.Commit != "" {
		r.Pin.Commit, r.Pin.Branch = was.Commit, was.Branch
	}
	if was.SourceDigest != "" {
		r.Pin.Digest = was.SourceDigest
	}
	return nil
}

// checkPlatform refuses a request that nothing here could carry out.
func (s *Server) checkPlatform(r drydock.RunRequest, prefix string) error {
	if !slices.Contains(s.c.Platforms, r.OS+"/"+r.Architecture) {
		return badRequest("PlatformNotSupported", "There is no agent for the platform %s/%s. This server runs %s.",
			r.OS, r.Architecture, strings.Join(s.c.Platforms, ", ")).about(prefix + "platform")
	}
	return nil
}
