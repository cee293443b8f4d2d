package arm

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/drydockhq/drydock"
)

// altered reports whether a run that repeats an old one of a task may be made
// from something else than what the task is built from now: because the old one
// was, because the task was changed since, or because a newer run was made from
// another commit or artifact.
func (s *Server) altered(ctx context.Context, old drydock.RunRecord, repeated drydock.RunRequest) (bool, error) {
	if old.Task == "" || old.Altered {
		return old.Altered, nil
	}
	task, err := s.find(ctx, old.Registry.Child("tasks", old.Task))
	if err != nil {
		return false, err
	}
	_, plain, err := s.runOfTask(task)
	if err != nil || redefined(plain, repeated) {
		return true, err
	}
	source := pinnedSource(repeated)
	if source == "" {
		return false, nil
	}
	newest, err := s.newestSource(ctx, old)
	return newest != "" && newest != source, err
}

// redefined reports whether a request is from before the task was given other
// things to build. A commit in the place of a branch is no such thing.
func redefined(plain, request drydock.RunRequest) bool {
	repository, fragment, _ := strings.Cut(request.Source, "#")
	if ref, folder, _ := strings.Cut(fragment, ":"); isCommit(ref) {
		now, fragment, _ := strings.Cut(plain.Source, "#")
		if _, f, _ := strings.Cut(fragment, ":"); now == repository && f == folder {
			request.Source = plain.Source
		}
	}
	return alters(plain, request) || plain.Kind != request.Kind || plain.ValuesFile != request.ValuesFile ||
		!bytes.Equal(plain.TaskContent, request.TaskContent) || !bytes.Equal(plain.ValuesContent, request.ValuesContent)
}

// pinnedSource returns the commit or the digest that a request is to be made
// from; "" when it names none.
func pinnedSource(r drydock.RunRequest) string {
	_, fragment, _ := strings.Cut(r.Source, "#")
	ref, _, _ := strings.Cut(fragment, ":")
	switch {
	case r.Pin.Commit != "":
		return r.Pin.Commit
	case r.Pin.Digest != "":
		return r.Pin.Digest
	case isCommit(ref):
		return ref
	}
	return ""
}

func isCommit(ref string) bool {
	_, err := hex.DecodeString(ref)
	return err == nil && (len(ref) == 40 || len(ref) == 64)
}

// newestSource returns what the newest run of the task of an old one, and not
// older than that, was made from; "" when there is none newer of which that is
// known, and "?" when it is still to be seen.
func (s *Server) newestSource(ctx context.Context, old drydock.RunRecord) (string, error) {
	filter := drydock.RunFilter{Registry: old.Registry, Tasks: []string{old.Task}, Limit: 20}
	for {
		found, err := s.c.Runs.Runs(ctx, filter)
		if err != nil {
			return "", err
		}
		for _, r := range found {
			switch {
			case r.Number <= old.Number:
				return "", nil
			case r.Altered:
				continue
			case !r.Status.Ended():
				return "?", nil
			}
			var request drydock.RunRequest
			if err := json.Unmarshal(r.Request, &request); err != nil {
				return "", fmt.Errorf("reading the request of run %s: %w", r.ID, err)
			}
			if err := pin(&request, r.Result); err != nil {
				return "", fmt.Errorf("reading the result of run %s: %w", r.ID, err)
			}
			if source := pinnedSource(request); source != "" {
				return source, nil
			}
		}
		if len(found) < filter.Limit {
			return "", nil
		}
		filter.OlderThan = found[len(found)-1].Number
	}
}
