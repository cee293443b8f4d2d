package arm

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/drydockhq/drydock"
)

// runDoc shows a run as ACR does.
func (s *Server) runDoc(ctx context.Context, r drydock.RunRecord) (object, error) {
	var request drydock.RunRequest
	if len(r.Request) > 0 {
		if err := json.Unmarshal(r.Request, &request); err != nil {
			return nil, fmt.Errorf("reading the request of run %s: %w", r.ID, err)
		}
	}
	properties := object{
		"runId": r.ID, "status": string(r.Status), "runType": string(r.Type),
		"createTime": timestamp(r.Created), "lastUpdatedTime": timestamp(r.Updated),
		"isArchiveEnabled": r.Archived, "provisioningState": succeeded,
		"platform": platformDoc(request.Platform), "agentConfiguration": object{"cpu": request.CPU},
	}
	if !r.Started.IsZero() {
		properties["startTime"] = timestamp(r.Started)
	}
	if !r.Finished.IsZero() {
		properties["finishTime"] = timestamp(r.Finished)
	}
	for key, value := range map[string]string{"task": r.Task, "agentPoolName": r.Pool, "updateTriggerToken": request.UpdateTriggerToken, "rerunOf": request.RerunOf} {
		if value != "" {
			properties[key] = value
		}
	}
	if request.RegistryLogin {
		properties["sourceRegistryAuth"] = s.loginServer(ctx, r.Registry.Name())
	}
	custom := []any{}
	for _, c := range request.Credentials {
		custom = append(custom, c.Registry)
	}
	if len(custom) > 0 {
		properties["customRegistries"] = custom
	}
	for _, part := range [][]byte{r.Trigger, r.Result} {
		if err := overlay(properties, part); err != nil {
			return nil, fmt.Errorf("reading run %s: %w", r.ID, err)
		}
	}
	s.nameRegistries(ctx, properties)
	delete(properties, "logEnd")
	id := r.Registry.Child("runs", r.ID)
	return object{"id": id.String(), "name": r.ID, "type": runType, "properties": properties}, nil
}

// overlay adds the keys of a JSON object that are not there.
func overlay(properties object, part []byte) error {
	if len(part) == 0 {
		return nil
	}
	more, err := parseObject(part)
	if err != nil {
		return err
	}
	for key, value := range more {
		if _, there := properties[key]; !there {
			properties[key] = value
		}
	}
	return nil
}

func platformDoc(platform string) object {
	doc := object{}
	parts := strings.Split(platform, "/")
	for i, key := range []string{"os", "architecture", "variant"} {
		if i < len(parts) && parts[i] != "" {
			doc[key] = parts[i]
		}
	}
	return doc
}

// runOf returns the run that a request's path names.
func (s *Server) runOf(ctx context.Context, id drydock.ResourceID) (drydock.RunRecord, error) {
	run, err := s.c.Runs.Run(ctx, id.Parent(), id.Name())
	if drydock.CodeOf(err) != drydock.NotFound {
		return run, err
	}
	if err := s.findParents(ctx, id); err != nil {
		return run, err
	}
	return run, notFound("RunNotFound", "The registry '%s' has no run '%s'.", id.Parent().Name(), id.Name())
}

func (s *Server) showRun(req *request) (*answer, error) {
	run, err := s.runOf(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	return s.runAnswer(req.Context(), run)
}

func (s *Server) runAnswer(ctx context.Context, run drydock.RunRecord) (*answer, error) {
	doc, err := s.runDoc(ctx, run)
	if err != nil {
		return nil, err
	}
	return ok(doc)
}

// patchRun changes whether a run is archived.
func (s *Server) patchRun(req *request) (*answer, error) {
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	if err := check(doc, kinds(aBool, "isArchiveEnabled")); err != nil {
		return nil, err
	}
	if _, err := s.runOf(req.Context(), req.scope); err != nil {
		return nil, err
	}
	run, err := s.c.Runs.UpdateRun(req.Context(), req.scope.Parent(), req.scope.Name(), func(r *drydock.RunRecord) error {
		r.Archived = flag(doc, "isArchiveEnabled", r.Archived)
		r.Updated = s.c.Now()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.runAnswer(req.Context(), run)
}

func (s *Server) cancelRun(req *request) (*answer, error) {
	run, err := s.runOf(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	if run.Status.Ended() {
		return nil, conflict("RunEnded", "The run '%s' can't be canceled: it has ended as %s.", run.ID, run.Status)
	}
	if run, err = s.c.Queue.Cancel(req.Context(), run.Registry, run.ID); err != nil {
		return nil, err
	}
	return s.runAnswer(req.Context(), run)
}

// showLog gives the links of a run's log.
func (s *Server) showLog(req *request) (*answer, error) {
	run, err := s.runOf(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	links, err := s.c.Blobs.LogLinks(req.Context(), run.Registry, run.ID)
	if err != nil {
		return nil, err
	}
	body := object{"logLink": links.Blob}
	if links.Artifact != "" {
		body["logArtifactLink"] = links.Artifact
	}
	if links.Follow != "" {
		body["logFollowLink"] = links.Follow
	}
	return ok(body)
}
