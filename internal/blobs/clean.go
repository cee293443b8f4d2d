package blobs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// stagedFor is how long blocks wait for their Commit.
const stagedFor = 24 * time.Hour

// clean removes what a killed process was writing, and blocks that nobody will
// commit any more.
func (f *Folder) clean() error {
	return f.walk(func(key Key, folder string, entries []fs.DirEntry) error {
		kept := map[string]bool{recordFile: true}
		r, err := f.read(key)
		if err != nil && drydock.CodeOf(err) != drydock.NotFound {
			return nil // it is for a person to look at
		}
		if err == nil {
			for _, p := range r.Parts {
				kept[p.File] = true
			}
		}
		left := 0
		for _, entry := range entries {
			if kept[entry.Name()] || f.stillStaged(entry) {
				left++
				continue
			}
			if err := f.root.Remove(filepath.Join(folder, entry.Name())); err != nil {
				return fmt.Errorf("removing the rest of a blob: %w", err)
			}
		}
		if left == 0 {
			return f.root.Remove(folder)
		}
		return nil
	})
}

func (f *Folder) stillStaged(entry fs.DirEntry) bool {
	info, err := entry.Info()
	_, block := blockID(entry.Name())
	return block && err == nil && f.now().Sub(info.ModTime()) < stagedFor
}

// walk calls visit for each folder of a blob.
func (f *Folder) walk(visit func(key Key, folder string, entries []fs.DirEntry) error) error {
	containers, err := fs.ReadDir(f.root.FS(), ".")
	if err != nil {
		return fmt.Errorf("reading the folder of blobs: %w", err)
	}
	for _, container := range containers {
		folders, err := fs.ReadDir(f.root.FS(), container.Name())
		if err != nil {
			return fmt.Errorf("reading the folder of blobs: %w", err)
		}
		for _, folder := range folders {
			path := filepath.Join(container.Name(), folder.Name())
			entries, err := fs.ReadDir(f.root.FS(), path)
			if err != nil {
				return fmt.Errorf("reading the folder of blobs: %w", err)
			}
			if err := visit(keyOf(container.Name(), folder.Name()), path, entries); err != nil {
				return err
			}
		}
	}
	return nil
}

// Delete removes a blob with its staged blocks. One that is not there is no
// error.
func (f *Folder) Delete(_ context.Context, key Key) error {
	if err := key.check(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.remove(key)
}

// remove is Delete with mu held. The record goes first, so that a blob is never
// there without its content.
func (f *Folder) remove(key Key) error {
	delete(f.staged, key)
	err := f.root.Remove(filepath.Join(key.folder(), recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, f.root.RemoveAll(key.folder()))
}

// DeleteContainer removes all blobs of a container.
func (f *Folder) DeleteContainer(_ context.Context, container string) error {
	if !containerForm.MatchString(container) {
		return drydock.Errorf(drydock.Invalid, "%q is not the name of a container", container)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for key := range f.staged {
		if key.Container == container {
			delete(f.staged, key)
		}
	}
	if err := f.root.RemoveAll(container); err != nil {
		return fmt.Errorf("deleting the blobs of %s: %w", container, err)
	}
	return nil
}

// Expire removes the blobs in containers whose names begin with prefix that
// were last changed before a time, unless they are open or keep wants them, and
// returns how many. Blocks that are staged go with age.
func (f *Folder) Expire(ctx context.Context, prefix string, before time.Time, keep func(Key) bool) (removed int, err error) {
	err = f.walk(func(key Key, folder string, entries []fs.DirEntry) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !strings.HasPrefix(key.Container, prefix) {
			return nil
		}
		f.mu.Lock()
		r, err := f.read(key)
		old := err == nil && r.Modified.Before(before) && f.streams[key] == nil
		f.mu.Unlock()
		if !old || keep != nil && keep(key) {
			return nil
		}
		removed++
		return f.Delete(ctx, key)
	})
	return removed, err
}

// Unsealed returns the append blobs that nobody has said to be whole.
func (f *Folder) Unsealed(ctx context.Context) ([]Key, error) {
	var found []Key
	err := f.walk(func(key Key, _ string, _ []fs.DirEntry) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if r, err := f.read(key); err == nil && !r.Sealed {
			found = append(found, key)
		}
		return nil
	})
	return found, err
}
