package main

import (
	"context"
	"errors"
	"os"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/queue"
	"github.com/drydockhq/drydock/internal/runner"
)

func (d *daemon) openQueue(ctx context.Context) (err error) {
	d.queue, err = queue.Open(ctx, queue.Config{
		Runs: d.store, Owner: ownerName(), Alone: true, Slots: d.config.Slots, Batch: d.config.MaxPerUpdate,
		Recovered: d.recovered, Now: d.now, Log: d.log,
	})
	if err != nil {
		return err
	}
	d.closing(func() error { d.queue.Close(); return nil })
	return nil
}

// openWorker makes what carries out the runs of the queue.
func (d *daemon) openWorker(context.Context) error {
	sources := d.path(sourcesFolder)
	// What a killed server was fetching is of no use.
	if err := errors.Join(os.RemoveAll(sources), os.MkdirAll(sources, 0o711)); err != nil {
		return drydock.Errorf(drydock.Unavailable, "making a folder for sources: %w", err)
	}
	program, err := ownProgram()
	if err != nil {
		return err
	}
	d.fetches = &runSources{
		blobs: d.blobs, dir: sources, env: d.environ, files: d.config.SourceFiles,
		network: d.network, cas: d.config.CAs, insecure: d.config.Insecure, connect: program,
	}
	d.openIdentities()
	d.worker = &runner.Worker{Queue: d.queue, Drain: d.config.Drain, Log: d.log, Ended: d.ended, Agent: &runner.Agent{
		Executor: d.executor, Logs: d.blobs, Sealed: d.sealer, Tokens: d.authority, LogArtifacts: logArtifacts{d},
		Sources: d.fetches, Client: d.network.Client(), Identities: d.keyring,
		LoginServer: d.loginServer, Limits: d.config.Limits, Images: d.config.Images,
		Privileged: d.config.Privileged, CacheScope: d.cacheScope, Now: d.now,
		Hosts: d.runHosts, OtherHosts: d.cloudRegistries, RealAzure: d.isReal, Canonical: d.canonicalRegistry,
	}}
	return nil
}

// ownerName names this life of the server.
func ownerName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "server"
	}
	return host + "/" + uuid.NewString()
}

// cacheScope sets a registry apart from the others, and from one that had its
// name before.
func (d *daemon) cacheScope(ctx context.Context, registry drydock.ResourceID) (string, error) {
	return d.blobs.container(ctx, "", registry)
}

// recovered ends the log of a run that ended with the server that had it.
func (d *daemon) recovered(ctx context.Context, r drydock.RunRecord, reason string) {
	log := d.log.With("registry", r.Registry.Name(), "run", r.ID, "status", r.Status)
	log.WarnContext(ctx, "recovered a run", "reason", reason)
	if !r.Status.Ended() {
		return
	}
	if err := d.blobs.seal(ctx, r); err != nil {
		log.ErrorContext(ctx, "ending the log of a run", "error", err)
	}
}
