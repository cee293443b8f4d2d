package buildkit

import (
	"context"
	"strings"

	"github.com/distribution/reference"
	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"
	provenancetypes "github.com/moby/buildkit/solver/llbsolver/provenance/types"
	"github.com/moby/buildkit/solver/pb"
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
		pinned, err := b.pinSource(ctx, op)
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

// pinSource returns an image source with the digest that the run knows it by.
func (b *build) pinSource(ctx context.Context, op *pb.SourceOp) (*pb.SourceOp, error) {
	asked := op.CloneVT()
	var err error
	if asked.Identifier, err = b.session.plainSource(op.Identifier); err != nil {
		return nil, err
	}
	found, err := b.session.pin(ctx, asked)
	if err != nil {
		return nil, err
	}
	b.note(asked.Identifier, found.Identifier)
	pinned := found.CloneVT()
	pinned.Identifier = b.session.realSource(found.Identifier)
	return pinned, nil
}

// note remembers an image that the build has asked for, and whether it was named
// by a tag that can move.
func (b *build) note(asked, pinned string) {
	spec, _ := cutScheme(asked, srctypes.DockerImageScheme)
	ref, _ := cutScheme(pinned, srctypes.DockerImageScheme)
	named, err := reference.ParseNormalizedNamed(ref)
	digested, ok := named.(reference.Digested)
	if err != nil || !ok {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = append(b.asked, provenancetypes.ImageSource{Ref: ref, Digest: digested.Digest()})
	if !strings.Contains(spec, "@") {
		b.floating[undigested(named)] = true
	}
}

// undigested returns a complete name without its digest.
func undigested(named reference.Named) string {
	if tagged, ok := named.(reference.Tagged); ok {
		return named.Name() + ":" + tagged.Tag()
	}
	return named.Name()
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
