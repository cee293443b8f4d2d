package arm

import (
	"context"

	"github.com/drydockhq/drydock"
)

// TaskCredentials returns what runs of a task sign in to other registries with,
// in the order of these. A task that is not there, or is going, is an error with
// code NotFound.
func (s *Server) TaskCredentials(ctx context.Context, id drydock.ResourceID) ([]drydock.RunCredential, error) {
	task, err := s.goodTask(ctx, id)
	if err != nil {
		return nil, err
	}
	doc, err := s.reveal(task, taskSecrets)
	if err != nil {
		return nil, err
	}
	var r drydock.RunRequest
	takeCredentials(&r, doc, "properties.credentials")
	return r.Credentials, nil
}
