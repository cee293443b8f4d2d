package buildkit

import (
	"context"
	"strings"

	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"
	srctypes "github.com/moby/buildkit/source/types"
	policypb "github.com/moby/buildkit/sourcepolicy/pb"
	"github.com/moby/buildkit/sourcepolicy/policysession"

	"github.com/drydockhq/drydock"
)

// checkSource is what BuildKit asks of each source before a build uses it,
// whatever the frontend and also where the answer is in the cache: what one run
// may read says nothing of another. It pins images to the digest that the run
// knows them by, after their registry was asked with the run's credentials.
func (b *build) checkSource(ctx context.Context, req *policysession.CheckPolicyRequest) (*policysession.DecisionResponse, *gatewaypb.ResolveSourceMetaRequest, error) {
	op := req.GetSource().GetSource()
	decision := &policysession.DecisionResponse{Action: policypb.PolicyAction_ALLOW}
	scheme, ref, _ := strings.Cut(op.GetIdentifier(), "://")
	switch scheme {
	case srctypes.DockerImageScheme:
		pinned, err := b.session.pin(ctx, op)
		if err != nil {
			b.refuse(err)
			return nil, nil, err
		}
		if pinned.Identifier != op.Identifier {
			decision.Action, decision.Update = policypb.PolicyAction_CONVERT, pinned
		}
	case srctypes.DockerImageBlobScheme:
		// The cache would answer without asking whether this run may read it.
		err := drydock.Errorf(drydock.Invalid, "source %s: single blobs of a registry are not supported in builds", op.Identifier)
		b.refuse(err)
		return nil, nil, err
	case imageScheme:
		if owner, _, _ := strings.Cut(ref, "/"); b.session.executor.runs.build(owner) != b {
			err := drydock.Errorf(drydock.Denied, "source %s belongs to another build", op.Identifier)
			b.refuse(err)
			return nil, nil, err
		}
	}
	return decision, nil, nil
}

// refuse remembers an error of the build, which loses its type on its way
// through BuildKit.
func (b *build) refuse(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refusals = append(b.refusals, err)
}

// refusal returns the remembered error that err is about, or nil.
func (b *build) refusal(err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, refused := range b.refusals {
		if strings.Contains(err.Error(), refused.Error()) {
			return refused
		}
	}
	return nil
}
