package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
)

func (p *program) duCommand() *cobra.Command {
	var o engineFlags
	cmd := &cobra.Command{
		Use:   "du",
		Short: "Show what the caches hold",
		Long:  "Show what the caches of builds and images hold, the largest first.",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withExecutor(cmd.Context(), o, func(e executor) error {
				records, err := e.DiskUsage(cmd.Context())
				if err != nil {
					return err
				}
				return p.printRecords(records, "Total")
			})
		},
	}
	o.bindData(cmd.Flags())
	return cmd
}

// pruneOptions are the flags of `drydockd prune`.
type pruneOptions struct {
	keep   string
	all    bool
	engine engineFlags
}

func (p *program) pruneCommand() *cobra.Command {
	var o pruneOptions
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Remove what the caches hold",
		Long: `Remove what no run is using from the caches, the longest unused first, until
--keep-storage is left.`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.prune(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.keep, "keep-storage", "0", "`SIZE` of what may stay, as 512m or 10g")
	flags.BoolVar(&o.all, "all", false, "remove also what is kept for the frontends of builds")
	o.engine.bindData(flags)
	return cmd
}

func (p *program) prune(ctx context.Context, o pruneOptions) error {
	keep, err := units.RAMInBytes(o.keep)
	if err != nil || keep < 0 {
		return drydock.Errorf(drydock.Invalid, "--keep-storage %q is not a size", o.keep).WithHint("write it as 512m or 10g")
	}
	return p.withExecutor(ctx, o.engine, func(e executor) error {
		removed, err := e.Prune(ctx, buildkit.PruneOptions{Keep: keep, All: o.all})
		return errors.Join(err, p.printRecords(removed, "Removed"))
	})
}

// withExecutor lends the executor to do.
func (p *program) withExecutor(ctx context.Context, flags engineFlags, do func(executor) error) (err error) {
	options, err := flags.options(func(format string, args ...any) {
		fmt.Fprintf(p.stderr, "drydockd: "+format+"\n", args...)
	})
	if err != nil {
		return err
	}
	e, err := p.open(ctx, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	return do(e)
}

// printRecords prints a table of records and the sum of their sizes, which
// counts what several records share once for each, as BuildKit does.
func (p *program) printRecords(records []buildkit.CacheRecord, sum string) error {
	slices.SortFunc(records, func(a, b buildkit.CacheRecord) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), strings.Compare(a.ID, b.ID))
	})
	w := tabwriter.NewWriter(p.stdout, 0, 8, 2, ' ', 0)
	var total int64
	if len(records) > 0 {
		fmt.Fprintln(w, "ID\tSIZE\tLAST USED\tIN USE\tDESCRIPTION")
	}
	for _, r := range records {
		total += r.Size
		p.printRecord(w, r)
	}
	fmt.Fprintf(w, "%s: %s\n", sum, units.BytesSize(float64(total)))
	return w.Flush()
}

func (p *program) printRecord(w io.Writer, r buildkit.CacheRecord) {
	inUse := "no"
	if r.InUse {
		inUse = "yes"
	}
	used := max(p.now().Sub(r.LastUsed), 0).Round(time.Second)
	fmt.Fprintf(w, "%s\t%s\t%s ago\t%s\t%s\n", r.ID, units.BytesSize(float64(r.Size)), units.HumanDuration(used), inUse, oneLine(r.Description))
}
