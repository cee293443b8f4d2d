package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/blobs"
	"github.com/drydockhq/drydock/internal/runner"
)

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

func logAttributes() blobs.Attributes {
	return blobs.Attributes{Headers: map[string]string{"content-type": "text/plain; charset=utf-8"}}
}

// OpenLog implements runner.LogStore.
func (b *runBlobs) OpenLog(ctx context.Context, registry drydock.ResourceID, run string) (runner.RunLog, error) {
	key, err := b.logKey(ctx, registry, run)
	if err != nil {
		return nil, err
	}
	a, err := b.folder.Append(ctx, key, logAttributes())
	if err != nil {
		return nil, err
	}
	return runLog{a}, nil
}

// seal sees to it that the log of a run that has ended is there and says so.
func (b *runBlobs) seal(ctx context.Context, r drydock.RunRecord) error {
	missing, err := b.missingEnd(ctx, r)
	if err != nil || missing == nil {
		return err
	}
	log, err := b.OpenLog(ctx, r.Registry, r.ID)
	if drydock.CodeOf(err) == drydock.Conflict {
		return nil // whoever has it is about to do it
	}
	if err != nil {
		return err
	}
	if _, err := log.Write(missing); err != nil {
		return errors.Join(err, log.Close())
	}
	return log.Seal(r.Status)
}

// missingEnd returns what the log of a run that has ended lacks at its end: nil
// if it is sealed, and else what is to be written before it is.
func (b *runBlobs) missingEnd(ctx context.Context, r drydock.RunRecord) ([]byte, error) {
	end := []byte(endOfLog(r))
	open, err := b.openLog(ctx, r.Registry, r.ID)
	if drydock.CodeOf(err) == drydock.NotFound {
		return end, nil
	}
	if err != nil {
		return nil, err
	}
	defer open.Close()
	p := open.Properties()
	if p.Sealed {
		return nil, nil
	}
	// A server that was killed while it wrote the end has written a part of it.
	last := make([]byte, min(p.Size, int64(len(end))))
	if n, err := open.ReadAt(last, p.Size-int64(len(last))); err != nil && n < len(last) {
		return nil, fmt.Errorf("reading the end of a log: %w", err)
	}
	for !bytes.HasPrefix(end, last) {
		last = last[1:]
	}
	return end[len(last):], nil
}

// endOfLog returns what the log of a run ends with: what those held back who
// carried it out, and else a line that says how it ended.
func endOfLog(r drydock.RunRecord) string {
	var result struct{ LogEnd string }
	if json.Unmarshal(r.Result, &result) == nil && result.LogEnd != "" {
		return result.LogEnd
	}
	if r.Status == drydock.RunSucceeded {
		return ""
	}
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
