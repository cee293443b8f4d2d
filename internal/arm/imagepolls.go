package arm

import (
	"context"

	"github.com/drydockhq/drydock"
)

// Polls knows when images of other registries were looked at.
type Polls interface {
	ImagePolls(ctx context.Context) ([]drydock.ImagePoll, error)
}

// imagePolls returns what is known of images of other registries, by their names.
func (s *Server) imagePolls(ctx context.Context) (map[drydock.ImageName]drydock.ImagePoll, error) {
	all, err := s.c.Polls.ImagePolls(ctx)
	polls := make(map[drydock.ImageName]drydock.ImagePoll, len(all))
	for _, p := range all {
		polls[p.Image] = p
	}
	return polls, err
}

// showPoll adds to the document of a base image when its registry was asked, and
// what went wrong.
func showPoll(doc object, p drydock.ImagePoll) {
	if !p.Checked.IsZero() {
		doc["checked"] = timestamp(p.Checked)
	}
	if !p.Next.IsZero() {
		doc["nextCheck"] = timestamp(p.Next)
	}
	if p.Problem != "" {
		doc["problem"] = p.Problem
	}
}
