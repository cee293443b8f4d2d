package main

import (
	"context"
	"errors"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/credentials"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/logs"
	"github.com/drydockhq/drydock/internal/runner"
)

// run is a run that `exec` or `build` asks for.
type run struct {
	flags       runFlags
	engine      engineFlags
	credentials []drydock.Credential
	request     runner.Request
}

// carryOut carries out a run and prints its log and, as JSON, its result.
func (p *program) carryOut(ctx context.Context, r run) (err error) {
	if err := r.flags.check(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stdout := &watched{p.stdout, cancel}
	masker := logs.NewMasker()
	log := logs.New(logs.Options{
		Renderer: r.flags.renderer(stdout, p.environ), Masker: masker, Now: p.now,
		Terminal: r.flags.terminal(p.stdout, p.environ),
	})
	options, err := r.engine.options(log.Printf)
	if err != nil {
		return err
	}
	if options.keychain, err = p.keychain(); err != nil {
		return err
	}
	r.request.Spec = r.spec(options)
	for _, c := range r.credentials {
		masker.Add(c.Password)
	}
	if r.flags.debug {
		options.libraryLog = masker.Writer(p.stderr)
		r.request.Task = &shownTask{Planner: r.request.Task, log: log, masker: masker}
	}
	executor := &lateExecutor{open: p.open, options: options}
	defer func() { err = masker.Error(errors.Join(err, executor.close())) }()
	runs := runner.Runner{
		Fetcher: p.fetcher(options, r.credentials, log.Printf),
		Engine: &engine.Engine{
			Executor: executor, Log: log, Secrets: masker,
			Timeout: time.Duration(r.flags.timeout), DryRun: r.flags.dryRun,
		},
	}
	result, err := runs.Run(ctx, r.request)
	return errors.Join(err, r.flags.printResult(stdout, r.request.Facts.ID, result, err))
}

// spec returns what the executor is to know of the run beside its facts.
func (r *run) spec(o engineOptions) engine.RunSpec {
	return engine.RunSpec{
		Credentials: r.credentials, Limits: o.limits,
		AllowPrivileged: r.flags.allowPrivileged, Publish: r.flags.publish,
	}
}

// parseCredentials reads the credentials of the flags.
func (f *runFlags) parseCredentials(ctx context.Context, vault credentials.Vault) ([]drydock.Credential, error) {
	var all []drydock.Credential
	for _, text := range f.credentials {
		c, err := credentials.Parse(ctx, text, vault)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}
