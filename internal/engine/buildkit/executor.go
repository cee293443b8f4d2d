// Package buildkit is the engine's executor: BuildKit as a library for builds
// and images, runc for the containers of cmd steps. It is the only package
// that imports BuildKit and containerd.
package buildkit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/moby/buildkit/cache"
	"github.com/moby/buildkit/exporter/containerimage"
	bksession "github.com/moby/buildkit/session"
	"github.com/moby/buildkit/worker"
	"github.com/moby/buildkit/worker/base"
	"golang.org/x/sync/errgroup"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit/runnet"
)

// Config is what an Executor is made from.
type Config struct {
	Root       string // folder for caches and the state of runs; made when missing
	Wait       bool   // for a process that has the folder, until New's context ends
	Registries Registries
	// RealRegistries are those of runs with engine.RunSpec.RealAzure; nil for the
	// same.
	RealRegistries *Registries
	Keychain       Keychain       // for registries that a run has no credentials for; may be nil
	Limits         drydock.Limits // of a run that sets none
	// MaxCache bounds what the caches may hold, in bytes; 0 for a tenth of the
	// disk.
	MaxCache int64
	// Addresses are what public container groups get their addresses from; nil for
	// a range that only this machine and those behind it reach.
	Addresses []netip.Prefix
	// HostAddress gives all of them this machine's own address instead.
	HostAddress bool
	// Downloads fetches what builds name by HTTP(S): ADD, and contexts; nil for
	// Go's own transport, which reaches all that this machine does.
	Downloads http.RoundTripper
	// Programs are the files of the programs in built-in images, by their names:
	// drydock.internal/NAME holds NAME. The images of those that are not static
	// can't be used, which is a warning.
	Programs map[string]string
	// Warn takes sentences about things that went wrong without failing a run;
	// may be nil.
	Warn func(format string, args ...any)
	// Advice words the hints of errors.
	Advice Advice
	// OwnsProcess says that this is the one executor of its process: until it is
	// closed, the process has its temporary files in the executor's folder, which
	// it is told by the environment.
	OwnsProcess bool
}

// Keychain knows credentials for registries.
type Keychain interface {
	// Lookup returns the user and secret for a registry's host, or empty
	// strings. An empty user with a secret means an identity token.
	Lookup(ctx context.Context, host string) (user, secret string, err error)
}

// Executor carries out runs on this machine. Its methods may be called from
// several goroutines.
type Executor struct {
	config   Config
	machine  machine
	lock     *os.File
	store    *store
	worker   *base.Worker
	cache    cache.Manager
	solver   *solver
	images   *containerimage.ImageWriter
	sessions *bksession.Manager
	network  *runnet.Manager
	builds   *buildNetwork
	clients  *clientCache
	real     *clientCache // of the real registries
	runtime  *runtime
	programs *programs
	runs     *runTable
	temp     *tempFolder // nil without one of its own

	collector *collector
}

var _ engine.Executor = (*Executor)(nil)

// New opens an executor on the folder config.Root, after it has cleared what a
// killed process left there. It returns a *drydock.Error with code Unavailable
// when the machine lacks something, or when another process has the folder.
func New(ctx context.Context, config Config) (_ *Executor, err error) {
	if config.Warn == nil {
		config.Warn = func(string, ...any) {}
	}
	config.Advice = config.Advice.complete()
	e := &Executor{runs: newRunTable()}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	look := thisMachine()
	if e.machine, err = look.inspect(); err != nil {
		return nil, err
	}
	if config.Root, e.lock, err = openDataFolder(ctx, config); err != nil {
		return nil, err
	}
	e.config, e.clients = config, newClientCache(config.Registries)
	e.real = e.clients
	if config.RealRegistries != nil {
		e.real = newClientCache(*config.RealRegistries)
	}
	if err = e.openMeans(ctx, look); err != nil {
		return nil, err
	}
	for _, warning := range e.network.Warnings() {
		config.Warn("%s", warning)
	}
	if e.runtime, err = newRuntime(e.machine, config.Root, e.network.DNS()); err != nil {
		return nil, err
	}
	if config.OwnsProcess {
		if e.temp, err = e.runtime.moveTemp(); err != nil {
			return nil, err
		}
	}
	if e.programs, err = newPrograms(filepath.Join(e.runtime.dir, "programs"), config.Programs); err != nil {
		return nil, err
	}
	if why := e.programs.unusable(); why != nil {
		config.Warn("%v", why)
	}
	return e, e.openBuildKit(ctx)
}

// openMeans tries overlays and makes ready what networks are made of. Both wait
// for the kernel more than they work.
func (e *Executor) openMeans(ctx context.Context, look probe) error {
	var opening errgroup.Group
	opening.Go(func() (err error) {
		e.machine.volatile, err = look.tryOverlay(e.config.Root)
		return err
	})
	opening.Go(func() (err error) {
		e.network, err = runnet.New(ctx, runnet.Config{Addresses: e.config.Addresses})
		return err
	})
	return opening.Wait()
}

func (e *Executor) openBuildKit(ctx context.Context) error {
	var err error
	if e.sessions, err = bksession.NewManager(); err != nil {
		return fmt.Errorf("making the session manager: %w", err)
	}
	if e.store, err = openStore(ctx, e.config.Root); err != nil {
		return drydock.Errorf(drydock.Unavailable, "opening the build cache: %w", err).
			WithHint("an empty data folder makes a new one")
	}
	w, err := newWorker(ctx, e)
	if err != nil {
		return err
	}
	e.worker, e.cache = w, w.CacheMgr
	e.images, err = containerimage.NewImageWriter(containerimage.WriterOpt{
		Snapshotter:  w.Snapshotter,
		ContentStore: w.ContentStore(),
		Applier:      w.Applier,
		Differ:       w.Differ,
	})
	if err != nil {
		return fmt.Errorf("making the image writer: %w", err)
	}
	controller := &worker.Controller{}
	if err := controller.Add(w); err != nil {
		return fmt.Errorf("adding the worker: %w", err)
	}
	if e.solver, err = newSolver(e, controller); err != nil {
		return err
	}
	e.collector = newCollector(e)
	return nil
}

// Close releases the executor. All sessions must be closed before.
func (e *Executor) Close() error {
	var errs []error
	if e.collector != nil {
		e.collector.Close()
	}
	if e.solver != nil {
		errs = append(errs, e.solver.Close())
	}
	if e.worker != nil {
		errs = append(errs, e.worker.Close())
	}
	if e.builds != nil {
		e.builds.wait()
	}
	if e.store != nil {
		errs = append(errs, e.store.Close())
	}
	if e.temp != nil {
		errs = append(errs, e.temp.restore())
	}
	if e.programs != nil {
		errs = append(errs, e.programs.Close())
	}
	if e.runtime != nil {
		errs = append(errs, e.runtime.Close())
	}
	if e.network != nil {
		errs = append(errs, e.network.Close())
	}
	if e.clients != nil {
		e.clients.Close()
		e.real.Close()
	}
	if e.lock != nil {
		errs = append(errs, e.lock.Close())
	}
	return errors.Join(errs...)
}
