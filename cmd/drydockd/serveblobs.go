package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/arm"
	"github.com/drydockhq/drydock/internal/blobs"
	"github.com/drydockhq/drydock/internal/runner"
)

func (d *daemon) openBlobs(ctx context.Context) error {
	folder, err := blobs.OpenFolder(d.path(blobsFolder), blobs.FolderOptions{MaxSize: d.config.MaxUpload, Now: d.now})
	if err != nil {
		return err
	}
	d.closing(folder.Close)
	key, err := secretSetting(ctx, d.store, d.sealer, "blobs/signing-key")
	if err != nil {
		return err
	}
	d.blobs = &runBlobs{
		folder: folder, signer: &blobs.Signer{Key: key, Now: d.now},
		own: d.names.cloud(), runs: d.store, resources: d.store, now: d.now,
	}
	d.blobHandler = &blobs.Handler{
		Store: folder, Signer: d.blobs.signer, Log: d.log, Now: d.now, MaxSize: d.config.MaxUpload,
	}
	return nil
}

// How long signed URLs are good: ACR's hold for an hour too. That of a log holds
// for longer than any run.
const (
	uploadURLFor = time.Hour
	logURLFor    = 12 * time.Hour
)

// The containers of blobs: a registry has one of each.
const (
	sourcesPrefix = "sources-"
	logsPrefix    = "logs-"
	// uploadPath is what the relative paths of uploads begin with.
	uploadPath = "source/"
	// logSuffix is what follows the id of a run in the name of its log.
	logSuffix = "/rawtext.log"
)

// runBlobs keeps uploaded contexts and the logs of runs in blobs.
type runBlobs struct {
	folder    *blobs.Folder
	signer    *blobs.Signer
	own       drydock.Cloud
	runs      drydock.RunStore
	resources drydock.ResourceStore
	now       func() time.Time
}

var (
	_ arm.Blobs       = (*runBlobs)(nil)
	_ runner.LogStore = (*runBlobs)(nil)
)

// containerOf returns the container of a registry. Names are for people and ids
// can be long, so it is made of a hash; that of a registry which was made anew
// under its name is another one.
func containerOf(prefix string, registry drydock.Resource) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", registry.ID.Key(), registry.Created.UnixNano()))
	return prefix + hex.EncodeToString(sum[:16])
}

func (b *runBlobs) container(ctx context.Context, prefix string, registry drydock.ResourceID) (string, error) {
	r, err := b.resources.Resource(ctx, registry)
	if err != nil {
		return "", err
	}
	return containerOf(prefix, r), nil
}

func (b *runBlobs) logKey(ctx context.Context, registry drydock.ResourceID, run string) (blobs.Key, error) {
	c, err := b.container(ctx, logsPrefix, registry)
	return blobs.Key{Container: c, Name: strings.ToLower(run) + logSuffix}, err
}

func (b *runBlobs) sourceKey(ctx context.Context, registry drydock.ResourceID, path string) (blobs.Key, error) {
	c, err := b.container(ctx, sourcesPrefix, registry)
	return blobs.Key{Container: c, Name: path}, err
}

// base returns the URL of the account, by the names of the cloud that is asked.
func (b *runBlobs) base(ctx context.Context) string {
	return drydock.CloudOf(ctx, b.own).URL(drydock.BlobKind, blobAccount)
}

// NewUpload implements arm.Blobs.
func (b *runBlobs) NewUpload(ctx context.Context, registry drydock.ResourceID) (arm.Upload, error) {
	path := uploadPath + b.now().UTC().Format("200601020000") + "/" + strings.ToLower(rand.Text()) + ".tar.gz"
	key, err := b.sourceKey(ctx, registry, path)
	if err != nil {
		return arm.Upload{}, err
	}
	url := b.signer.URL(b.base(ctx), key, blobs.Upload, b.now().Add(uploadURLFor))
	return arm.Upload{URL: url, RelativePath: path}, nil
}

// LogLinks implements arm.Blobs. A log that a killed server left open is ended
// here at the latest.
func (b *runBlobs) LogLinks(ctx context.Context, registry drydock.ResourceID, run string) (arm.LogLinks, error) {
	r, err := b.runs.Run(ctx, registry, run)
	if err != nil {
		return arm.LogLinks{}, err
	}
	key, err := b.logKey(ctx, r.Registry, r.ID)
	if err != nil {
		return arm.LogLinks{}, err
	}
	if r.Status.Ended() {
		err = b.seal(ctx, r)
	} else {
		// Readers can wait for a run that has not started.
		err = b.folder.Create(ctx, key, logAttributes())
	}
	if err != nil {
		return arm.LogLinks{}, err
	}
	url := b.signer.URL(b.base(ctx), key, blobs.Read, b.now().Add(logURLFor))
	return arm.LogLinks{Blob: url, Follow: url + "&comp=follow"}, nil
}

// openSource opens an upload.
func (b *runBlobs) openSource(ctx context.Context, registry drydock.ResourceID, path string) (blobs.Blob, error) {
	key, err := b.sourceKey(ctx, registry, path)
	if err != nil {
		return nil, err
	}
	return b.folder.Open(ctx, key)
}

// openLog opens the log of a run for reading.
func (b *runBlobs) openLog(ctx context.Context, registry drydock.ResourceID, run string) (blobs.Blob, error) {
	key, err := b.logKey(ctx, registry, run)
	if err != nil {
		return nil, err
	}
	return b.folder.Open(ctx, key)
}

// UploadGone implements arm.Blobs.
func (b *runBlobs) UploadGone(ctx context.Context, registry drydock.ResourceID, source string) (bool, error) {
	if !isUpload(source) {
		return false, nil
	}
	blob, err := b.openSource(ctx, registry, source)
	switch drydock.CodeOf(err) {
	case "":
		return false, blob.Close()
	case drydock.NotFound, drydock.Invalid:
		return true, nil
	}
	return false, fmt.Errorf("looking for the uploaded source: %w", err)
}

// deleted forgets the blobs of a registry that is deleted.
func (b *runBlobs) deleted(ctx context.Context, registry drydock.Resource) error {
	for _, prefix := range []string{sourcesPrefix, logsPrefix} {
		if err := b.folder.DeleteContainer(ctx, containerOf(prefix, registry)); err != nil {
			return err
		}
	}
	return nil
}
