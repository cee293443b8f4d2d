package acrcli

import (
	"context"
	"fmt"

	"github.com/dlclark/regexp2"
)

// purgeTags deletes the old tags of a repository that an expression matches. It
// returns how many each digest has lost, or would in a dry run.
func (p *purger) purgeTags(ctx context.Context, repository, expression string) (map[string]int, error) {
	p.announce("tags", repository)
	filter, err := compile(expression, p.timeout())
	if err != nil {
		return nil, err
	}
	all, err := p.client.tags(ctx, repository, "timedesc")
	if err != nil {
		return nil, err
	}
	old, err := p.oldTags(all, filter)
	if err != nil {
		return nil, err
	}
	gone := map[string]int{}
	var things []thing
	for _, t := range old {
		gone[t.Digest]++
		things = append(things, thing{
			name: fmt.Sprintf("%s/%s:%s", p.client.server, repository, t.Name), locked: t.Changeable.locked(),
			unlock: func(ctx context.Context) error { return p.client.unlock(ctx, repository, "_tags", t.Name) },
			delete: func(ctx context.Context) error { return p.client.deleteTag(ctx, repository, t.Name) },
		})
	}
	n, err := p.delete(ctx, things)
	p.tags += n
	return gone, err
}

func (p *purger) announce(what, repository string) {
	if p.dryRun {
		p.say("Would delete %s for repository: %s", what, repository)
		return
	}
	p.say("Deleting %s for repository: %s", what, repository)
}

// oldTags returns those of the tags that are to go. They come with the newest
// first, of which some are kept.
func (p *purger) oldTags(all []tag, filter *regexp2.Regexp) (old []tag, err error) {
	for _, t := range all {
		ok, err := matches(filter, t.Name)
		if err != nil {
			return nil, err
		}
		if ok && t.Updated.Before(p.before) && (p.includeLocked || !t.Changeable.locked()) {
			old = append(old, t)
		}
	}
	return old[min(p.keep, len(old)):], nil
}
