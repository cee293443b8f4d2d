package buildkit

import (
	"context"
	"fmt"
	"sync"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/exporter"
	"github.com/moby/buildkit/frontend"
	"github.com/moby/buildkit/identity"
	bksession "github.com/moby/buildkit/session"
	"github.com/moby/buildkit/solver/llbsolver"
	"github.com/moby/buildkit/solver/llbsolver/compat"
	provenancetypes "github.com/moby/buildkit/solver/llbsolver/provenance/types"

	"github.com/drydockhq/drydock/internal/buildflags"
	"github.com/drydockhq/drydock/internal/engine"
)

// build is one build of a run.
type build struct {
	engine.Build
	session    *session
	context    *buildContext
	sessionID  string      // of BuildKit's session for it
	dockerfile *dockerfile // what is known of it; set by the frontend
	image      *builtImage // set by the exporter
	cacheFrom  []buildflags.CacheEntry
	cacheTo    []buildflags.CacheEntry
	sources    provenancetypes.Sources // what BuildKit resolved; set after the solve
	syntax     string                  // complete name of the frontend that the Dockerfile asks for, if that is an image

	mu       sync.Mutex
	asked    []provenancetypes.ImageSource // images that sources named, as they were pinned
	floating map[string]bool               // those of them, by complete names, that were named without a digest
	inputs   []*imageInput                 // images of the run that the build may use
	refusals []error                       // why sources may not be used
}

// Build builds an image into the run's table.
func (s *session) Build(ctx context.Context, b engine.Build) error {
	ctx, done, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	_, err = s.build(ctx, b)
	return err
}

func (s *session) build(ctx context.Context, spec engine.Build) (_ *builtImage, err error) {
	spec.Out = &lockedWriter{w: spec.Out}
	b := &build{Build: spec, session: s, dockerfile: &dockerfile{}, floating: map[string]bool{}}
	for _, warning := range spec.Flags.Warnings {
		fmt.Fprintf(spec.Out, "WARNING: %s\n", warning)
	}
	b.tellSecretArgs()
	b.findCaches()
	if b.context, err = s.openContext(b); err != nil {
		return nil, err
	}
	defer func() { err = joinCleanup(err, b.context.Close()) }()
	attrs, err := b.frontendAttrs()
	if err != nil {
		return nil, err
	}
	bk, closeSession, err := b.openSession(ctx)
	if err != nil {
		return nil, err
	}
	defer closeSession()
	if err := b.solve(ctx, bk, attrs); err != nil {
		b.recordFailed()
		return nil, b.explain(err)
	}
	return b.image, b.finish(ctx)
}

// solve carries the build out and shows its progress meanwhile.
func (b *build) solve(ctx context.Context, bk *bksession.Session, attrs map[string]string) error {
	exporters, err := b.cacheExporters(ctx, bk.ID())
	if err != nil {
		return err
	}
	id := identity.NewID()
	status := make(chan *client.SolveStatus)
	var shown sync.WaitGroup
	shown.Add(2)
	go func() {
		defer shown.Done()
		// Its end is that of the solve, whose error says more.
		_ = b.session.executor.solver.Status(context.WithoutCancel(ctx), id, status)
	}()
	go func() {
		defer shown.Done()
		b.show(status)
	}()
	_, err = b.session.executor.solver.Solve(ctx, id, bk.ID(), frontend.SolveRequest{
		Frontend:    dockerfileFrontend,
		FrontendOpt: attrs,
	}, compat.CompatibilityVersionCurrent, llbsolver.ExporterRequest{
		Exporters:      []exporter.ExporterInstance{&tableExporter{build: b}},
		CacheExporters: exporters,
	}, nil, []llbsolver.Processor{b.capture}, false, nil, bk.ID(), false)
	shown.Wait()
	return err
}

// finish gives the image its names, records what it was made from, and pushes
// it where the flags say so.
func (b *build) finish(ctx context.Context) error {
	b.session.images.hold(b.image)
	for _, base := range b.sources.Images {
		if !base.Local {
			b.image.bases = append(b.image.bases, base.Ref)
		}
	}
	for _, name := range b.Flags.Tags {
		complete, err := completeName(name)
		if err != nil {
			return err
		}
		b.session.images.put(complete, b.image)
	}
	if err := b.record(); err != nil {
		return err
	}
	if !b.Flags.Push {
		return nil
	}
	for _, name := range b.Flags.Tags {
		if _, err := b.session.push(ctx, name, b.Out); err != nil {
			return err
		}
	}
	return nil
}

// nameInContexts is how the Dockerfile frontend looks an image up among its
// named contexts.
func nameInContexts(complete string) string {
	named, err := reference.ParseNormalizedNamed(complete)
	if err != nil {
		return complete
	}
	name := reference.FamiliarString(named)
	if tagged, ok := named.(reference.Tagged); ok && tagged.Tag() == "latest" {
		name = reference.FamiliarName(named)
	}
	return name
}
