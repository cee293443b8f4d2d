// Command bench measures Drydock beside the tools that do the same jobs one by
// one: runc, a stock buildkitd and a stock registry of the same versions, and a
// copy from registry to registry. It measures in rounds, in each of which everybody has a turn, and
// prints medians and ratios. It asserts nothing: see docs/performance.md.
//
// It needs root and touches nothing but temporary folders, which it removes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	programs
	size    size
	example string
	only    string

	registry string
}

// size is how much is measured.
type size struct {
	rounds   int
	steps    int // in a row
	parallel int
	layer    int // bytes of each layer that is pushed and pulled
	runs     int // that are queued
	lines    int // of a log
	tokens   int // that are issued, and checked, of each kind
}

// long is what gives numbers that can be relied on.
func long() size {
	return size{rounds: 15, steps: 20, parallel: 10, layer: 50e6, runs: 2000, lines: 500, tokens: 2000}
}

// short is what shows that the program works.
func short() size {
	return size{rounds: 2, steps: 3, parallel: 3, layer: 1e6, runs: 20, lines: 20, tokens: 40}
}

// parse reads the command line. Help goes to w.
func parse(args []string, w io.Writer) (options, error) {
	o := options{size: long()}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(w)
	flags.StringVar(&o.drydockd, "drydockd", ".cache/bench/drydockd", "the program to measure")
	flags.StringVar(&o.buildkitd, "buildkitd", ".cache/bench/buildkitd", "the stock buildkitd to compare with")
	flags.StringVar(&o.buildctl, "buildctl", ".cache/bench/buildctl", "and its client")
	flags.StringVar(&o.example, "example", "examples/gated-import/import-baseimage-node", "folder of the gated import")
	flags.StringVar(&o.only, "only", "", "measure only tables with this in their title")
	isShort := flags.Bool("short", false, "few rounds, to see that the program works")
	flags.StringVar(&o.registry, "serve-registry", "", "serve distribution on this folder until the input ends, and measure nothing")
	rounds := flags.Int("rounds", 0, "how many rounds; 0 for the default")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if *isShort {
		o.size = short()
	}
	if *rounds > 0 {
		o.size.rounds = *rounds
	}
	var err error
	// The client of a server is a link to it.
	if o.drydockd, err = filepath.Abs(o.drydockd); err != nil {
		return o, err
	}
	if o.runc, err = exec.LookPath("runc"); err != nil {
		return o, fmt.Errorf("%w (make setup installs it)", err)
	}
	return o, nil
}

// run measures and prints.
func run(ctx context.Context, args []string, out io.Writer) (err error) {
	o, err := parse(args, out)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if o.registry != "" {
		return serveRegistry(o.registry, os.Stdin, out)
	}
	l, err := openLab(ctx, o.programs, o.example)
	defer func() { err = errors.Join(err, l.close()) }()
	if err != nil {
		return err
	}
	comparisons, err := l.comparisons(ctx, o.size)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s; %d rounds, interleaved; the ratio is the median of the ratios of each round\n", machine(), o.size.rounds)
	for _, c := range comparisons {
		if !strings.Contains(c.title, o.only) {
			continue
		}
		measured, err := c.run(ctx, o.size.rounds)
		if err != nil {
			return err
		}
		if err := measured.write(out); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "\nat the end: %s\n", machine())
	return nil
}

// comparisons returns all that is measured, in the order in which it is.
func (l *lab) comparisons(ctx context.Context, s size) ([]comparison, error) {
	var all []comparison
	add := func(c comparison, err error) error {
		all = append(all, c)
		return err
	}
	errs := []error{add(l.start())}
	errs = append(errs, add(l.sequential(ctx, s.steps)), add(l.parallel(ctx, s.parallel)))
	resident, err := l.openResident(ctx)
	if err != nil {
		return nil, err
	}
	for _, j := range l.buildJobs() {
		errs = append(errs, add(l.build(resident, j)))
	}
	errs = append(errs, add(l.gated(ctx, false)), add(l.gated(ctx, true)))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	ofServer, err := l.serverComparisons(ctx, s)
	return append(all, ofServer...), err
}

// serverComparisons returns what is measured of a server.
func (l *lab) serverComparisons(ctx context.Context, s size) ([]comparison, error) {
	stock, err := l.stockRegistry(ctx)
	if err != nil {
		return nil, err
	}
	server, err := l.openServer(ctx)
	if err != nil {
		return nil, err
	}
	places := l.places(stock, server)
	pulls, err := l.pulls(ctx, places, s.layer)
	if err != nil {
		return nil, err
	}
	build, err := l.acrBuild(server)
	if err != nil {
		return nil, err
	}
	lines, err := l.logLines(server, s.lines)
	if err != nil {
		return nil, err
	}
	tokens, err := l.tokens(ctx, server, s.tokens)
	if err != nil {
		return nil, err
	}
	vaults, err := l.vaults(ctx, server, s.tokens)
	if err != nil {
		return nil, err
	}
	newPage, err := l.newPage(ctx, server)
	if err != nil {
		return nil, err
	}
	return []comparison{
		l.serverStart(), tokens, vaults, newPage, build, lines, l.pushes(places, s.layer), pulls, l.queued(server, s.runs),
	}, nil
}
