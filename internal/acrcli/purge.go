package acrcli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/drydockhq/drydock"
)

// purgeFlags are those of acr purge.
type purgeFlags struct {
	filters       []string
	ago           string
	keep          int
	untagged      bool
	untaggedOnly  bool
	dryRun        bool
	includeLocked bool
	concurrency   int
	pageSize      int
	filterTimeout int
	verbose       bool
}

// maxConcurrency is how many things are deleted at a time at the most.
const maxConcurrency = 32

func (a *app) purgeCommand() *cobra.Command {
	var p purgeFlags
	cmd := &cobra.Command{
		Use: "purge", Short: "Delete old tags, and manifests without tags", Args: cobra.NoArgs,
		Example: `  acr purge --filter 'hello-world:.*' --ago 7d --keep 3 --untagged
  acr purge --filter '.*:^(?!v).*' --ago 30d --dry-run
  acr purge --untagged-only --ago 3d`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.purge(cmd.Context(), &p) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringArrayVarP(&p.filters, "filter", "f", nil, "tags to delete, as REPOSITORY:TAG of regular expressions; that for the repository matches all of its name (many)")
	f.StringVar(&p.ago, "ago", "", "delete what was last changed this long ago or longer: days, a duration as Go writes it, or both, as 2d3h6m")
	f.IntVar(&p.keep, "keep", 0, "how many of what would be deleted in a repository, the newest, are kept")
	f.BoolVar(&p.untagged, "untagged", false, "also delete manifests that have no tag then")
	f.BoolVar(&p.untaggedOnly, "untagged-only", false, "delete manifests without tags, and no tags; --filter and --ago may be left out, and the part of a filter for tags does not count")
	f.BoolVar(&p.dryRun, "dry-run", false, "say what would be deleted, and delete nothing")
	f.BoolVar(&p.includeLocked, "include-locked", false, "unlock and delete what is locked too")
	f.IntVar(&p.concurrency, "concurrency", runtime.GOMAXPROCS(0), "how much is deleted at a time, 32 at the most")
	f.IntVar(&p.pageSize, "repository-page-size", normalPage, "how many repositories are asked for at a time")
	f.IntVar(&p.filterTimeout, "filter-timeout-seconds", 60, "how long matching one name with an expression may take")
	f.BoolVar(&p.verbose, "verbose", false, "accepted, and has no effect")
	cmd.MarkFlagsMutuallyExclusive("untagged", "untagged-only")
	return cmd
}

// purger carries out one acr purge.
type purger struct {
	*app
	*purgeFlags
	client *client
	before time.Time // what was last changed after it stays
	tags   int       // deleted
	images int       // manifests deleted
}

func (a *app) purge(ctx context.Context, flags *purgeFlags) error {
	filters, ago, err := flags.check()
	if err != nil {
		return err
	}
	age, capped, err := parseAgo(ago)
	if err != nil {
		return err
	}
	if capped {
		a.say("Warning: ago value exceeds maximum duration of 150 years, capping to 150 years")
	}
	p := &purger{app: a, purgeFlags: flags, before: a.Now().Add(-age)}
	if p.client, err = a.client(ctx); err != nil {
		return err
	}
	of, err := p.targets(ctx, filters)
	if err != nil {
		return err
	}
	if flags.dryRun {
		a.say("DRY RUN: The following output shows what WOULD be deleted if the purge command was executed. Nothing is deleted.")
	}
	p.limit()
	err = p.repositories(ctx, of)
	if err != nil {
		a.say("Failed to complete purge: %v", err)
	}
	p.summary()
	return err
}

// check checks the flags, and returns the filters and the age.
func (p *purgeFlags) check() ([]filter, string, error) {
	ago := p.ago
	if p.untaggedOnly && ago == "" {
		ago = "0s"
	}
	if !p.untaggedOnly && len(p.filters) == 0 {
		return nil, "", drydock.Errorf(drydock.Invalid, "--filter is required when not using --untagged-only")
	}
	if ago == "" {
		return nil, "", drydock.Errorf(drydock.Invalid, "--ago is required when not using --untagged-only")
	}
	if p.keep < 0 || p.pageSize < 1 {
		return nil, "", drydock.Errorf(drydock.Invalid, "--keep can't be negative, and --repository-page-size is at least 1")
	}
	if p.filterTimeout < 1 {
		p.filterTimeout = 60
	}
	var filters []filter
	for _, text := range p.filters {
		f, err := parseFilter(text)
		if err != nil {
			return nil, "", err
		}
		if _, err := compile(f.tag, p.timeout()); err != nil {
			return nil, "", err
		}
		filters = append(filters, f)
	}
	return filters, ago, nil
}

func (p *purgeFlags) timeout() time.Duration { return time.Duration(p.filterTimeout) * time.Second }

// targets returns the expressions for tags by their repositories.
func (p *purger) targets(ctx context.Context, filters []filter) (map[string]string, error) {
	if len(filters) == 0 {
		filters = []filter{{repository: ".*", tag: ".*"}}
	}
	if !slices.ContainsFunc(filters, func(f filter) bool { return !f.literal() }) {
		return targets(filters, nil, p.timeout())
	}
	all, err := p.client.repositories(ctx, p.pageSize)
	if err != nil {
		return nil, err
	}
	return targets(filters, all, p.timeout())
}

// limit puts --concurrency into its range.
func (p *purger) limit() {
	switch {
	case p.concurrency <= 0:
		p.concurrency = runtime.GOMAXPROCS(0)
		p.say("Specified concurrency value invalid. Set to default value: %d ", p.concurrency)
	case p.concurrency > maxConcurrency:
		p.concurrency = maxConcurrency
		p.say("Specified concurrency value too large. Set to maximum value: %d ", maxConcurrency)
	}
}

// repositories purges them in the order of their names.
func (p *purger) repositories(ctx context.Context, of map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(of)) {
		if err := p.repository(ctx, name, of[name]); err != nil {
			return err
		}
	}
	return nil
}

func (p *purger) repository(ctx context.Context, name, expression string) error {
	var gone map[string]int
	var err error
	if !p.untaggedOnly {
		gone, err = p.purgeTags(ctx, name, expression)
	}
	if err = p.purged("tags", name, err); err != nil {
		return err
	}
	if p.untagged || p.untaggedOnly {
		err = p.purgeManifests(ctx, name, gone)
	}
	return p.purged("manifests", name, err)
}

// purged words what became of purging a repository. One that is not there has
// nothing to purge.
func (p *purger) purged(what, repository string, err error) error {
	if notFound(err) {
		p.say("%s repository not found", repository)
		return nil
	}
	if err != nil {
		return fmt.Errorf("failed to purge %s: %w", what, err)
	}
	return nil
}

func (p *purger) summary() {
	if p.dryRun {
		p.say("\nNumber of tags to be deleted: %d\nNumber of manifests to be deleted: %d", p.tags, p.images)
		return
	}
	p.say("\nNumber of deleted tags: %d\nNumber of deleted manifests: %d", p.tags, p.images)
}

// notFound reports whether a registry has said that there is no such thing.
func notFound(err error) bool { return statusOf(err) == http.StatusNotFound }

func statusOf(err error) int {
	var r *refusal
	if errors.As(err, &r) {
		return r.Status
	}
	return 0
}
