package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/arm"
	"github.com/drydockhq/drydock/internal/blobs"
	"github.com/drydockhq/drydock/internal/runner"
)

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
)

// runBlobs keeps uploaded contexts and the logs of runs in blobs.
type runBlobs struct {
	folder *blobs.Folder
	signer *blobs.Signer
	base   string // URL of the account
	runs   drydock.RunStore
	now    func() time.Time
}

var (
	_ arm.Blobs       = (*runBlobs)(nil)
	_ runner.LogStore = (*runBlobs)(nil)
)

// container returns the container of a registry. Names are for people and ids
// can be long, so it is made of the hash of the id.
func container(prefix string, registry drydock.ResourceID) string {
	sum := sha256.Sum256([]byte(registry.Key()))
	return prefix + hex.EncodeToString(sum[:16])
}

func logKey(registry drydock.ResourceID, run string) blobs.Key {
	return blobs.Key{Container: container(logsPrefix, registry), Name: strings.ToLower(run) + "/rawtext.log"}
}

func sourceKey(registry drydock.ResourceID, path string) blobs.Key {
	return blobs.Key{Container: container(sourcesPrefix, registry), Name: path}
}

// NewUpload implements arm.Blobs.
func (b *runBlobs) NewUpload(_ context.Context, registry drydock.ResourceID) (arm.Upload, error) {
	path := uploadPath + b.now().UTC().Format("200601020000") + "/" + strings.ToLower(rand.Text()) + ".tar.gz"
	url := b.signer.URL(b.base, sourceKey(registry, path), blobs.Upload, b.now().Add(uploadURLFor))
	return arm.Upload{URL: url, RelativePath: path}, nil
}

// LogLinks implements arm.Blobs. A log that a killed server left open is ended
// here at the latest.
func (b *runBlobs) LogLinks(ctx context.Context, registry drydock.ResourceID, run string) (arm.LogLinks, error) {
	r, err := b.runs.Run(ctx, registry, run)
	if err != nil {
		return arm.LogLinks{}, err
	}
	if r.Status.Ended() {
		err = b.seal(ctx, r)
	} else {
		// Readers can wait for a run that has not started.
		err = b.folder.Create(ctx, logKey(r.Registry, r.ID), logAttributes())
	}
	if err != nil {
		return arm.LogLinks{}, err
	}
	url := b.signer.URL(b.base, logKey(r.Registry, r.ID), blobs.Read, b.now().Add(logURLFor))
	return arm.LogLinks{Blob: url, Follow: url + "&comp=follow"}, nil
}

// UploadGone implements arm.Blobs.
func (b *runBlobs) UploadGone(ctx context.Context, registry drydock.ResourceID, source string) (bool, error) {
	if !isUpload(source) {
		return false, nil
	}
	blob, err := b.folder.Open(ctx, sourceKey(registry, source))
	switch drydock.CodeOf(err) {
	case "":
		return false, blob.Close()
	case drydock.NotFound, drydock.Invalid:
		return true, nil
	}
	return false, fmt.Errorf("looking for the uploaded source: %w", err)
}

func logAttributes() blobs.Attributes {
	return blobs.Attributes{Headers: map[string]string{"content-type": "text/plain; charset=utf-8"}}
}

// OpenLog implements runner.LogStore.
func (b *runBlobs) OpenLog(ctx context.Context, registry drydock.ResourceID, run string) (runner.RunLog, error) {
	a, err := b.folder.Append(ctx, logKey(registry, run), logAttributes())
	if err != nil {
		return nil, err
	}
	return runLog{a}, nil
}

// seal sees to it that the log of a run that has ended is there and says so.
func (b *runBlobs) seal(ctx context.Context, r drydock.RunRecord) error {
	open, err := b.folder.Open(ctx, logKey(r.Registry, r.ID))
	if err == nil {
		sealed := open.Properties().Sealed
		open.Close()
		if sealed {
			return nil
		}
	} else if drydock.CodeOf(err) != drydock.NotFound {
		return err
	}
	log, err := b.OpenLog(ctx, r.Registry, r.ID)
	if drydock.CodeOf(err) == drydock.Conflict {
		return nil // whoever has it is about to do it
	}
	if err != nil {
		return err
	}
	if r.Status != drydock.RunSucceeded {
		if _, err := io.WriteString(log, endLine(r)); err != nil {
			return err
		}
	}
	return log.Seal(r.Status)
}

// runLog is the log of a run.
type runLog struct{ *blobs.Appender }

// logEnds are what ACR's clients look for in a log's metadata.
var logEnds = map[drydock.RunStatus]string{
	drydock.RunSucceeded: "successful",
	drydock.RunFailed:    "failed",
	drydock.RunCanceled:  "canceled",
	drydock.RunTimeout:   "timedout",
	drydock.RunError:     "internalerror",
}

// Seal implements runner.RunLog.
func (l runLog) Seal(status drydock.RunStatus) error {
	return l.Appender.Seal(map[string]string{"Complete": logEnds[status]})
}

// deleted forgets the blobs of a registry that is deleted.
func (b *runBlobs) deleted(ctx context.Context, registry drydock.ResourceID) error {
	for _, prefix := range []string{sourcesPrefix, logsPrefix} {
		if err := b.folder.DeleteContainer(ctx, container(prefix, registry)); err != nil {
			return err
		}
	}
	return nil
}

// endLine is the last line of a run's log that nobody else ends.
func endLine(r drydock.RunRecord) string {
	return fmt.Sprintf("%s Run ID: %s ended: %s%s\r\n", r.Finished.UTC().Format("2006/01/02 15:04:05"), r.ID, r.Status, errorText(r))
}

// errorText returns what is recorded of why a run failed, after a colon.
func errorText(r drydock.RunRecord) string {
	var result struct{ RunErrorMessage string }
	if json.Unmarshal(r.Result, &result) != nil || result.RunErrorMessage == "" {
		return ""
	}
	return ": " + strings.ReplaceAll(result.RunErrorMessage, "\n", "\r\n")
}
