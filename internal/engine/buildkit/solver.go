package buildkit

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/moby/buildkit/cache/remotecache"
	inlinecache "github.com/moby/buildkit/cache/remotecache/inline"
	bkconfig "github.com/moby/buildkit/cmd/buildkitd/config"
	"github.com/moby/buildkit/frontend"
	"github.com/moby/buildkit/frontend/gateway"
	"github.com/moby/buildkit/frontend/gateway/forwarder"
	bksolver "github.com/moby/buildkit/solver"
	"github.com/moby/buildkit/solver/bboltcachestorage"
	"github.com/moby/buildkit/solver/llbsolver"
	"github.com/moby/buildkit/solver/llbsolver/history"
	"github.com/moby/buildkit/util/db/boltutil"
	"github.com/moby/buildkit/worker"
	bolt "go.etcd.io/bbolt"
)

// dockerfileFrontend is the name under which builds find our frontend.
const dockerfileFrontend = "dockerfile.v0"

// solver is BuildKit's solver with the caches that it stands on.
type solver struct {
	*llbsolver.Solver
	cacheDB        *bboltcachestorage.Store
	historyDB      interface{ Close() error }
	cacheExporters map[string]remotecache.ResolveCacheExporterFunc
}

func newSolver(e *Executor, controller *worker.Controller) (_ *solver, err error) {
	s := &solver{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.closeDBs())
		}
	}()
	if s.cacheDB, err = bboltcachestorage.NewStore(filepath.Join(e.config.Root, "cache.db")); err != nil {
		return nil, fmt.Errorf("opening the cache index: %w", err)
	}
	queue, err := s.noHistory(e)
	if err != nil {
		return nil, err
	}
	external, err := gateway.NewGatewayFrontend(controller.Infos(), nil)
	if err != nil {
		return nil, fmt.Errorf("making the gateway frontend: %w", err)
	}
	s.cacheExporters = map[string]remotecache.ResolveCacheExporterFunc{
		"registry": e.exportCache(),
		"inline":   inlinecache.ResolveCacheExporterFunc(),
	}
	s.Solver, err = llbsolver.New(llbsolver.Opt{
		WorkerController: controller,
		SessionManager:   e.sessions,
		HistoryQueue:     queue,
		CacheManager: bksolver.NewCacheManager(context.Background(), "local", s.cacheDB,
			worker.NewCacheResultStorage(controller)),
		CacheResolvers: map[string]remotecache.ResolveCacheImporterFunc{
			"registry": e.importCache(),
		},
		Frontends: map[string]frontend.Frontend{
			dockerfileFrontend: forwarder.NewGatewayForwarder(controller.Infos(), e.runs.solveDockerfile),
			"gateway.v0":       external,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("making the solver: %w", err)
	}
	return s, nil
}

// noHistory makes the queue that the solver wants to have, told to keep
// nothing: a build's record holds its arguments.
func (s *solver) noHistory(e *Executor) (*history.Queue, error) {
	db, err := boltutil.SafeOpen(filepath.Join(e.config.Root, "history.db"), 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		return nil, fmt.Errorf("opening the build history: %w", err)
	}
	s.historyDB = db
	var none int64
	queue, err := history.NewQueue(history.QueueOpt{
		DB:           db,
		LeaseManager: e.worker.LeaseManager(),
		ContentStore: e.worker.ContentStore(),
		CleanConfig:  &bkconfig.HistoryConfig{MaxEntries: &none},
	})
	if err != nil {
		return nil, fmt.Errorf("making the build history: %w", err)
	}
	return queue, nil
}

// Close stops the solver and closes its caches.
func (s *solver) Close() error {
	return errors.Join(s.Solver.Close(), s.closeDBs())
}

func (s *solver) closeDBs() error {
	var errs []error
	if s.cacheDB != nil {
		errs = append(errs, s.cacheDB.Close())
	}
	if s.historyDB != nil {
		errs = append(errs, s.historyDB.Close())
	}
	return errors.Join(errs...)
}
