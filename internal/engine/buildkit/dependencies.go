package buildkit

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/executor/resources"
	bksolver "github.com/moby/buildkit/solver"
	"github.com/moby/buildkit/solver/llbsolver"
	"github.com/moby/buildkit/solver/llbsolver/provenance"
	provenancetypes "github.com/moby/buildkit/solver/llbsolver/provenance/types"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/drydockhq/drydock"
)

// capture keeps what BuildKit says that the build resolved.
func (b *build) capture(_ context.Context, res *llbsolver.Result, _ *llbsolver.Solver, _ *bksolver.Job, _ *resources.SysSampler) (*llbsolver.Result, error) {
	captures := []*provenance.Capture{res.Provenance.Ref}
	for _, key := range slices.Sorted(maps.Keys(res.Provenance.Refs)) {
		captures = append(captures, res.Provenance.Refs[key])
	}
	for _, c := range captures {
		if c == nil {
			continue
		}
		for _, img := range c.Sources.Images {
			img.Ref, _ = plainReference(img.Ref)
			b.sources.Images = append(b.sources.Images, img)
		}
		b.sources.Git = append(b.sources.Git, c.Sources.Git...)
	}
	return res, nil
}

// builtRecord is what is remembered of a build for the dependency list.
type builtRecord struct {
	step      string
	failed    bool
	names     []string // complete; a build without a tag has none
	runtime   *drydock.ImageReference
	buildtime []drydock.ImageReference
	git       *drydock.GitReference
}

// record remembers what the build resolved, and makes the images known to the
// run: a later step may tag an image that only a FROM has named.
func (b *build) record() error {
	rec := builtRecord{step: b.StepID, git: b.git()}
	for _, name := range b.Flags.Tags {
		complete, err := completeName(name)
		if err != nil {
			return err
		}
		rec.names = append(rec.names, complete)
	}
	for _, img := range b.sources.Images {
		if err := b.keepResolved(img); err != nil {
			return err
		}
	}
	b.fill(&rec, b.sources.Images)
	b.keep(rec)
	return nil
}

// recordFailed remembers what a build resolved that has no image to show for it:
// that is known as far as it got.
func (b *build) recordFailed() {
	b.mu.Lock()
	asked := slices.Clone(b.asked)
	b.mu.Unlock()
	rec := builtRecord{step: b.StepID, failed: true, git: b.git()}
	if b.fill(&rec, asked); rec.runtime != nil || len(rec.buildtime) > 0 {
		b.keep(rec)
	}
}

// keep remembers a build in place of attempts of the same step that failed.
func (b *build) keep(rec builtRecord) {
	b.session.mu.Lock()
	defer b.session.mu.Unlock()
	b.session.built = append(slices.DeleteFunc(b.session.built, func(old builtRecord) bool {
		return old.failed && old.step == rec.step
	}), rec)
}

// fill completes a record with images.
func (b *build) fill(rec *builtRecord, found []provenancetypes.ImageSource) {
	base := b.baseName()
	seen := map[drydock.ImageReference]bool{}
	for _, img := range found {
		ref, used := b.dependency(img)
		if !used || seen[ref] {
			continue
		}
		seen[ref] = true
		if rec.runtime == nil && base != "" && ref.Reference == base {
			rec.runtime = &ref
			continue
		}
		rec.buildtime = append(rec.buildtime, ref)
	}
}

// dependency writes an image source as ACR does, and reports false for what only
// reads the Dockerfile.
func (b *build) dependency(img provenancetypes.ImageSource) (drydock.ImageReference, bool) {
	ref := dependency(img)
	named, err := reference.ParseNormalizedNamed(img.Ref)
	if err != nil || img.Local {
		return ref, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	name := undigested(named)
	ref.Pinned = ref.Tag != "" && !b.floating[name]
	return ref, name != b.syntax
}

// baseName returns the base of the final stage as the dependencies name it.
func (b *build) baseName() string {
	base := b.dockerfile.base
	for _, c := range b.Flags.BuildContexts {
		if image, ok := strings.CutPrefix(c.Value, "docker-image://"); ok && c.Name == base {
			base = image
		}
	}
	if base == "" {
		return ""
	}
	complete, err := completeName(base)
	if err != nil {
		return ""
	}
	// A name that the run gave to an image of a registry stands for that image.
	if img, ok := b.session.images.find(complete).(*registryImage); ok {
		complete = img.asked
	}
	named, err := reference.ParseNormalizedNamed(complete)
	if err != nil {
		return ""
	}
	return shortName(named)
}

// keepResolved makes an image that the build resolved known under its name.
func (b *build) keepResolved(source provenancetypes.ImageSource) error {
	named, err := reference.ParseNormalizedNamed(source.Ref)
	if err != nil || source.Local {
		return nil // one of the run's own is in the table already
	}
	tagged, ok := named.(reference.Tagged)
	if !ok {
		return nil
	}
	withTag, err := reference.WithTag(reference.TrimNamed(named), tagged.Tag())
	if err != nil {
		return nil
	}
	desc := b.session.pinned(withTag.String())
	if desc.Digest != source.Digest {
		return nil // a frontend of its own resolved it; nobody asked with the run's credentials
	}
	img, err := b.session.newRegistryImage(withTag.String(), desc)
	if err != nil {
		return err
	}
	b.session.images.putResolved(withTag.String(), img)
	return nil
}

func (b *build) git() *drydock.GitReference {
	for _, git := range b.sources.Git {
		if git.Commit != "" {
			return &drydock.GitReference{HeadRevision: git.Commit}
		}
	}
	if b.context.url == "" && b.session.spec.Commit != "" {
		return &drydock.GitReference{HeadRevision: b.session.spec.Commit}
	}
	return nil
}

// pushed remembers the digest that a name has in its registry.
func (s *session) pushed(name string, desc ocispec.Descriptor) {
	s.mu.Lock()
	s.digests[name] = desc.Digest.String()
	s.mu.Unlock()
	s.setPin(name, desc)
}

// Dependencies returns what the builds so far were made from.
func (s *session) Dependencies() []drydock.ImageDependencies {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []drydock.ImageDependencies
	for _, rec := range s.built {
		deps := drydock.ImageDependencies{Runtime: s.withDigest(rec.runtime), Buildtime: []drydock.ImageReference{}, Git: rec.git}
		for _, ref := range rec.buildtime {
			deps.Buildtime = append(deps.Buildtime, *s.withDigest(&ref))
		}
		if len(rec.names) == 0 {
			out = append(out, deps)
		}
		for _, name := range rec.names {
			named, err := reference.ParseNormalizedNamed(name)
			if err != nil {
				continue
			}
			ref := imageReference(named)
			deps.Image = s.withDigest(&ref)
			out = append(out, deps)
		}
	}
	return out
}

// Pushed implements engine.PushedLister.
func (s *session) Pushed() []drydock.ImageReference {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []drydock.ImageReference
	for _, name := range slices.Sorted(maps.Keys(s.digests)) {
		named, err := reference.ParseNormalizedNamed(name)
		if err != nil {
			continue
		}
		ref := imageReference(named)
		ref.Digest = s.digests[name]
		out = append(out, ref)
	}
	return out
}

// withDigest completes a reference to an image that the run made with the
// digest under which it was pushed meanwhile.
func (s *session) withDigest(ref *drydock.ImageReference) *drydock.ImageReference {
	if ref == nil || ref.Digest != "" {
		return ref
	}
	complete, err := completeName(ref.Reference)
	if err != nil {
		return ref
	}
	done := *ref
	done.Digest = s.digests[complete]
	return &done
}
