package blobs_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/blobs"
)

func open(t *testing.T, dir string) *blobs.Folder {
	t.Helper()
	f, err := blobs.OpenFolder(dir, blobs.FolderOptions{MaxSize: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFolderSurvivesAKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := open(t, dir)
	ctx := t.Context()
	log := blobs.Key{Container: "logs-1", Name: "ca1"}
	if _, err := f.Put(ctx, key, strings.NewReader("whole"), blobs.Attributes{}); err != nil {
		t.Fatal(err)
	}
	blocks := blobs.Key{Container: "sources-1", Name: "blocks"}
	for _, id := range []string{"b", "a"} {
		if err := f.Stage(ctx, blocks, id, strings.NewReader("block "+id+".")); err != nil {
			t.Fatal(err)
		}
	}
	a, err := f.Append(ctx, log, blobs.Attributes{})
	if err != nil {
		t.Fatal(err)
	}
	write(t, a, "before\r\n")
	// What a killed process leaves: a part that no record names.
	garbage := filepath.Join(dir, "sources-1", "half", "part-X")
	if err := os.MkdirAll(filepath.Dir(garbage), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(garbage, []byte("ha"), 0o600); err != nil {
		t.Fatal(err)
	}

	f = open(t, dir)
	defer f.Close()
	if _, err := os.Stat(filepath.Dir(garbage)); !errors.Is(err, os.ErrNotExist) {
		t.Error("half a blob is still there:", err)
	}
	if text := content(t, f, key); text != "whole" {
		t.Errorf("blob %q", text)
	}
	if _, err := f.Commit(ctx, blocks, []blobs.BlockRef{{"a", blobs.Latest}, {"b", blobs.Uncommitted}, {"a", blobs.Latest}}, blobs.Attributes{}); err != nil {
		t.Fatal(err)
	}
	if text := content(t, f, blocks); text != "block a.block b.block a." {
		t.Errorf("blocks %q", text)
	}
	a, err = f.Append(ctx, log, blobs.Attributes{})
	if err != nil {
		t.Fatal(err)
	}
	write(t, a, "after\r\n")
	if err := a.Seal(map[string]string{"Complete": "failed"}); err != nil {
		t.Fatal(err)
	}
	if text := content(t, f, log); text != "before\r\nafter\r\n" {
		t.Errorf("log %q", text)
	}
}

func TestALogHasOneWriter(t *testing.T) {
	t.Parallel()
	f := open(t, t.TempDir())
	defer f.Close()
	log := blobs.Key{Container: "logs-1", Name: "ca1"}
	a, err := f.Append(t.Context(), log, blobs.Attributes{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Append(t.Context(), log, blobs.Attributes{}); drydock.CodeOf(err) != drydock.Conflict {
		t.Error("a second writer:", err)
	}
	b, err := f.Open(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Seal(map[string]string{"Complete": "failed"}); err != nil {
		t.Fatal(err)
	}
	// A run that is queued again goes on in its log, which is no longer whole.
	if a, err = f.Append(t.Context(), log, blobs.Attributes{}); err != nil {
		t.Fatal(err)
	}
	if p := b.Properties(); p.Sealed || len(p.Metadata) > 0 {
		t.Errorf("properties of an opened log: %+v", p)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Wait(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Error("waiting:", err)
	}
	if err := errors.Join(a.Close(), a.Close(), b.Close()); err != nil {
		t.Error(err)
	}
	if _, err := f.Put(t.Context(), log, strings.NewReader("x"), blobs.Attributes{}); drydock.CodeOf(err) != drydock.Conflict {
		t.Error("a log was overwritten:", err)
	}
}

func TestALogCanBeWaitedForBeforeItIsWritten(t *testing.T) {
	t.Parallel()
	f := open(t, t.TempDir())
	defer f.Close()
	log := blobs.Key{Container: "logs-1", Name: "ca1"}
	if err := f.Create(t.Context(), log, blobs.Attributes{}); err != nil {
		t.Fatal(err)
	}
	b, err := f.Open(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	a, err := f.Append(t.Context(), log, blobs.Attributes{})
	if err != nil {
		t.Fatal(err)
	}
	write(t, a, "one")
	if p, err := b.Wait(t.Context(), 0); p.Size != 3 || err != nil {
		t.Errorf("%+v, %v", p, err)
	}
	if err := a.Seal(map[string]string{"Complete": "successful"}); err != nil {
		t.Fatal(err)
	}
	// What is there stays as it is.
	if err := f.Create(t.Context(), log, blobs.Attributes{}); err != nil || content(t, f, log) != "one" || !b.Properties().Sealed {
		t.Errorf("%v, %+v", err, b.Properties())
	}
}

func TestFolderBoundsWhatIsStaged(t *testing.T) {
	t.Parallel()
	f := open(t, t.TempDir())
	defer f.Close()
	large := strings.Repeat("x", 600)
	if err := f.Stage(t.Context(), key, "a", strings.NewReader(large)); err != nil {
		t.Fatal(err)
	}
	if err := f.Stage(t.Context(), key, "b", strings.NewReader(large)); drydock.CodeOf(err) != drydock.Invalid {
		t.Error("more than the limit:", err)
	}
	if err := f.Stage(t.Context(), key, "a", strings.NewReader(large)); err != nil {
		t.Error("the same block again:", err)
	}
}

func TestExpireAndDelete(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := open(t, dir)
	defer f.Close()
	ctx := t.Context()
	kept := blobs.Key{Container: "sources-1", Name: "kept"}
	other := blobs.Key{Container: "other-1", Name: "x"}
	growing := blobs.Key{Container: "sources-1", Name: "growing"}
	for _, k := range []blobs.Key{key, kept, other} {
		if _, err := f.Put(ctx, k, strings.NewReader("x"), blobs.Attributes{}); err != nil {
			t.Fatal(err)
		}
	}
	a, err := f.Append(ctx, growing, blobs.Attributes{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	n, err := f.Expire(ctx, "sources-", time.Now().Add(time.Hour), func(k blobs.Key) bool { return k == kept })
	if n != 1 || err != nil {
		t.Errorf("%d blobs expired, %v", n, err)
	}
	if _, err := f.Open(ctx, key); drydock.CodeOf(err) != drydock.NotFound {
		t.Error("still there:", err)
	}
	if err := f.DeleteContainer(ctx, "sources-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Open(ctx, kept); drydock.CodeOf(err) != drydock.NotFound {
		t.Error("still there:", err)
	}
	if text := content(t, f, other); text != "x" {
		t.Errorf("another container's blob: %q", text)
	}
	if err := f.DeleteContainer(ctx, "../x"); err == nil {
		t.Error("a container outside was deleted")
	}
}

func FuzzKeys(f *testing.F) {
	f.Add("sources-1", "source/a.tar.gz")
	f.Add("..", "a")
	f.Add("abc", "a/../../b")
	f.Fuzz(func(t *testing.T, container, name string) {
		dir := t.TempDir()
		folder := open(t, filepath.Join(dir, "store"))
		defer folder.Close()
		k := blobs.Key{Container: container, Name: name}
		if _, err := folder.Put(t.Context(), k, strings.NewReader("x"), blobs.Attributes{}); err != nil {
			if drydock.CodeOf(err) != drydock.Invalid {
				t.Error(err)
			}
			return
		}
		b, err := folder.Open(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		if text, err := io.ReadAll(io.NewSectionReader(b, 0, 10)); err != nil || string(text) != "x" {
			t.Errorf("%q, %v", text, err)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Errorf("files outside: %v", entries)
		}
	})
}
