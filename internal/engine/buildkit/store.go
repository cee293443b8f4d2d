package buildkit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/v2/core/diff/apply"
	ctdmetadata "github.com/containerd/containerd/v2/core/metadata"
	ctdsnapshot "github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/containerd/v2/plugins/diff/walking"
	overlaysnapshot "github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/moby/buildkit/cache/metadata"
	containerdsnapshot "github.com/moby/buildkit/snapshot/containerd"
	"github.com/moby/buildkit/util/leaseutil"
	"github.com/moby/buildkit/worker/base"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	bolt "go.etcd.io/bbolt"
)

// What the store's parts are called on disk, as a stock buildkitd calls them.
const (
	snapshotterName = "overlayfs"
	storeNamespace  = "buildkit"
	storeFolder     = "runc-" + snapshotterName
)

// store is the folder of blobs and unpacked layers.
type store struct {
	root        string
	snapshotter ctdsnapshot.Snapshotter
	db          *bolt.DB
	layers      *metadata.Store
	contents    *ctdmetadata.DB
}

// openStore opens the store below the executor's root. Unlike BuildKit's own
// function for it, it allows the store to be closed again.
func openStore(ctx context.Context, root string) (_ *store, err error) {
	s := &store{root: filepath.Join(root, storeFolder)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err := os.MkdirAll(s.root, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of images: %w", err)
	}
	if s.snapshotter, err = overlaysnapshot.NewSnapshotter(filepath.Join(s.root, "snapshots"), overlaysnapshot.AsynchronousRemove); err != nil {
		return nil, fmt.Errorf("opening the unpacked layers: %w", err)
	}
	// A process that is killed while it adds a layer leaves a folder whose number
	// is given out again, and then is in the way.
	if c, ok := s.snapshotter.(ctdsnapshot.Cleaner); ok {
		if err := c.Cleanup(ctx); err != nil && !errdefs.IsNotFound(err) { // as in an empty one
			return nil, fmt.Errorf("cleaning up the unpacked layers: %w", err)
		}
	}
	blobs, err := local.NewStore(filepath.Join(s.root, "content"))
	if err != nil {
		return nil, fmt.Errorf("opening the blobs: %w", err)
	}
	if s.db, err = bolt.Open(filepath.Join(s.root, "containerdmeta.db"), 0o644, &bolt.Options{FreelistType: bolt.FreelistMapType}); err != nil {
		return nil, fmt.Errorf("opening the index of blobs: %w", err)
	}
	s.contents = ctdmetadata.NewDB(s.db, blobs, map[string]ctdsnapshot.Snapshotter{snapshotterName: s.snapshotter})
	if err := s.contents.Init(ctx); err != nil {
		return nil, fmt.Errorf("reading the index of blobs: %w", err)
	}
	if s.layers, err = metadata.NewStore(filepath.Join(s.root, "metadata_v2.db")); err != nil {
		return nil, fmt.Errorf("opening the index of layers: %w", err)
	}
	return s, nil
}

// workerOpt returns what a worker on the store is made from.
func (s *store) workerOpt() (base.WorkerOpt, error) {
	id, err := base.ID(s.root)
	if err != nil {
		return base.WorkerOpt{}, fmt.Errorf("naming the worker: %w", err)
	}
	contents := containerdsnapshot.NewContentStore(s.contents.ContentStore(), storeNamespace)
	return base.WorkerOpt{
		ID:             id,
		Root:           s.root,
		Labels:         map[string]string{},
		MetadataStore:  s.layers,
		Snapshotter:    containerdsnapshot.NewSnapshotter(snapshotterName, s.contents.Snapshotter(snapshotterName), storeNamespace, nil),
		ContentStore:   contents,
		Applier:        apply.NewFileSystemApplier(contents),
		Differ:         walking.NewWalkingDiff(contents),
		Platforms:      []ocispec.Platform{platforms.Normalize(platforms.DefaultSpec())},
		LeaseManager:   leaseutil.WithNamespace(ctdmetadata.NewLeaseManager(s.contents), storeNamespace),
		GarbageCollect: s.contents.GarbageCollect,
		MountPoolRoot:  filepath.Join(s.root, "cachemounts"),
	}, nil
}

// Close closes the store. The index of layers belongs to the worker once there
// is one, and closing it twice does no harm.
func (s *store) Close() error {
	var errs []error
	if s.layers != nil {
		errs = append(errs, s.layers.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.snapshotter != nil {
		errs = append(errs, s.snapshotter.Close())
	}
	return errors.Join(errs...)
}
