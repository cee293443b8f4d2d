package acrcli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// purgeManifests deletes the old manifests of a repository that have no tags and
// that nothing needs which stays. In a dry run, gone says how many tags each digest
// would have lost.
func (p *purger) purgeManifests(ctx context.Context, repository string, gone map[string]int) error {
	p.announce("manifests", repository)
	all, err := p.client.manifests(ctx, repository)
	if err != nil {
		return err
	}
	old, err := p.oldManifests(ctx, repository, all, gone)
	if err != nil {
		return err
	}
	var things []thing
	for _, m := range old {
		things = append(things, thing{
			name: fmt.Sprintf("%s/%s@%s", p.client.server, repository, m.Digest), locked: m.Changeable.locked(),
			unlock: func(ctx context.Context) error { return p.client.unlock(ctx, repository, "_manifests", m.Digest) },
			delete: func(ctx context.Context) error { return p.client.deleteManifest(ctx, repository, m.Digest) },
		})
	}
	n, err := p.delete(ctx, things)
	p.images += n
	return err
}

// oldManifests returns those of the manifests that are to go, less the newest ones
// that are to be kept.
func (p *purger) oldManifests(outer context.Context, repository string, all []manifest, gone map[string]int) ([]manifest, error) {
	stay := &staying{client: p.client, repository: repository, digests: map[string]bool{}, types: map[string]string{}}
	reading, ctx := errgroup.WithContext(outer)
	reading.SetLimit(p.concurrency)
	for _, m := range all {
		stay.types[m.Digest] = m.MediaType
	}
	for _, m := range all {
		reading.Go(func() error {
			if p.stays(m, gone) {
				return stay.add(ctx, m.Digest)
			}
			return stay.addReferrer(ctx, m)
		})
	}
	if err := reading.Wait(); err != nil {
		return nil, err
	}
	old := slices.DeleteFunc(slices.Clone(all), stay.has)
	slices.SortFunc(old, func(a, b manifest) int {
		return cmp.Or(b.Updated.Compare(a.Updated), cmp.Compare(a.Digest, b.Digest))
	})
	for _, m := range old[:min(p.keep, len(old))] {
		if err := stay.add(outer, m.Digest); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(old, stay.has), nil
}

// stays reports whether a manifest stays whatever it is: it has tags, is locked or
// too young.
func (p *purger) stays(m manifest, gone map[string]int) bool {
	tags := len(m.Tags)
	if p.dryRun {
		tags -= gone[m.Digest]
	}
	return tags > 0 || m.Updated.IsZero() || m.Updated.After(p.before) || !p.includeLocked && m.Changeable.locked()
}

// staying are the manifests of a repository that are to stay. Its methods may be
// called from several goroutines.
type staying struct {
	client     *client
	repository string
	types      map[string]string // of all manifests, by digest; read only

	mu      sync.Mutex
	digests map[string]bool
}

func (s *staying) has(m manifest) bool { return s.digests[m.Digest] }

// add adds a manifest and all that it lists, as the images for the platforms.
func (s *staying) add(ctx context.Context, digest string) error {
	s.mu.Lock()
	known := s.digests[digest]
	s.digests[digest] = true
	s.mu.Unlock()
	mediaType, here := s.types[digest]
	if known || !here || !isList(mediaType) {
		return nil
	}
	r, err := s.client.relations(ctx, s.repository, digest)
	if notFound(err) { // it was deleted meanwhile
		return nil
	}
	if err != nil {
		return err
	}
	for _, child := range r.Manifests {
		if err := s.add(ctx, child.Digest.String()); err != nil {
			return err
		}
	}
	return nil
}

// addReferrer adds a manifest if it is about another one, as a signature is: it goes
// with that. What can't be known to be nothing of the kind stays too.
func (s *staying) addReferrer(ctx context.Context, m manifest) error {
	if m.MediaType == "" {
		return s.add(ctx, m.Digest)
	}
	if !mayRefer(m.MediaType) {
		return nil
	}
	r, err := s.client.relations(ctx, s.repository, m.Digest)
	if notFound(err) {
		return nil
	}
	if err != nil || r.Subject == nil || r.Subject.Digest == "" {
		return err
	}
	return s.add(ctx, m.Digest)
}
