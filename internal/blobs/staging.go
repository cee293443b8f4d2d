package blobs

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
)

const (
	maxBlocks = 50_000     // of a blob, staged or not; Azure's limit
	maxBlock  = 4000 << 20 // bytes; Azure's limit
	maxID     = 64         // bytes of a block's id before base64
)

// staging is the blocks of a blob that wait for a Commit. It is found again in
// the names of their files after a restart.
type staging struct {
	blocks map[string]part // by id
	size   int64
}

// Stage implements Store.
func (f *Folder) Stage(ctx context.Context, key Key, id string, r io.Reader) error {
	if err := key.check(); err != nil {
		return err
	}
	if id == "" || len(id) > maxID {
		return drydock.Errorf(drydock.Invalid, "the id of a block has 1 to %d bytes", maxID)
	}
	room, err := f.room(key, id)
	if err != nil {
		return err
	}
	p, err := f.receive(ctx, key, "block-"+hex.EncodeToString([]byte(id))+"-", r, min(room, maxBlock))
	if err != nil {
		return err
	}
	p.Block = id
	return f.keep(key, p)
}

// room returns how many more bytes may be staged.
func (f *Folder) room(key Key, id string) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.staging(key)
	if err != nil {
		return 0, err
	}
	if _, again := s.blocks[id]; len(s.blocks) >= maxBlocks && !again {
		return 0, &drydock.Error{Code: drydock.Invalid, Message: fmt.Sprintf("a blob has at most %d blocks", maxBlocks), Err: errTooMany}
	}
	return f.maxSize - s.size + s.blocks[id].Size, nil
}

var errTooMany = errors.New("too many blocks")

// keep adds a block, in place of an earlier one with its id.
func (f *Folder) keep(key Key, p part) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.staging(key)
	if err != nil {
		return err
	}
	name := filepath.Join(key.folder(), p.File)
	old, again := s.blocks[p.Block]
	if s.size-old.Size+p.Size > f.maxSize {
		return errors.Join(errTooLarge(f.maxSize), f.root.Remove(name))
	}
	s.blocks[p.Block] = p
	s.size += p.Size - old.Size
	if again && old.File != p.File {
		return f.root.Remove(filepath.Join(key.folder(), old.File))
	}
	return nil
}

// staging returns the staged blocks of a blob, with mu held.
func (f *Folder) staging(key Key) (*staging, error) {
	if s := f.staged[key]; s != nil {
		return s, nil
	}
	s := &staging{blocks: map[string]part{}}
	committed := map[string]bool{}
	switch r, err := f.read(key); {
	case err == nil:
		for _, p := range r.Parts {
			committed[p.File] = true
		}
	case drydock.CodeOf(err) != drydock.NotFound:
		return nil, err
	}
	entries, err := fs.ReadDir(f.root.FS(), key.folder())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the blocks of a blob: %w", err)
	}
	for _, entry := range entries {
		if id, ok := blockID(entry.Name()); ok && !committed[entry.Name()] {
			info, err := entry.Info()
			if err != nil {
				return nil, fmt.Errorf("reading the blocks of a blob: %w", err)
			}
			s.size += info.Size() - s.blocks[id].Size
			s.blocks[id] = part{File: entry.Name(), Size: info.Size(), Block: id}
		}
	}
	f.staged[key] = s
	return s, nil
}

// blockID returns the id in the name of a block's file.
func blockID(file string) (string, bool) {
	fields := strings.Split(file, "-")
	if len(fields) != 3 || fields[0] != "block" {
		return "", false
	}
	id, err := hex.DecodeString(fields[1])
	return string(id), err == nil && len(id) > 0
}

// Commit implements Store.
func (f *Folder) Commit(_ context.Context, key Key, blocks []BlockRef, a Attributes) (Properties, error) {
	if err := key.check(); err != nil {
		return Properties{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.staging(key)
	if err != nil {
		return Properties{}, err
	}
	old, err := f.read(key)
	if err != nil && drydock.CodeOf(err) != drydock.NotFound {
		return Properties{}, err
	}
	parts, err := pick(blocks, s, old)
	if err != nil {
		return Properties{}, err
	}
	if err := f.root.MkdirAll(key.folder(), 0o700); err != nil {
		return Properties{}, fmt.Errorf("making the folder of a blob: %w", err)
	}
	properties, err := f.replace(key, parts, a)
	if err != nil {
		return Properties{}, err
	}
	delete(f.staged, key)
	used := map[string]bool{}
	for _, p := range parts {
		used[p.File] = true
	}
	var errs []error
	for _, p := range s.blocks {
		if !used[p.File] {
			errs = append(errs, f.root.Remove(filepath.Join(key.folder(), p.File)))
		}
	}
	return properties, errors.Join(errs...)
}

// pick finds the blocks that make a blob.
func pick(blocks []BlockRef, s *staging, old *record) ([]part, error) {
	committed := map[string]part{}
	if old != nil {
		for _, p := range old.Parts {
			committed[p.Block] = p
		}
	}
	parts := make([]part, 0, len(blocks))
	for _, b := range blocks {
		p, ok := s.blocks[b.ID]
		if b.From == Committed {
			ok = false
		}
		if !ok && b.From != Uncommitted && b.ID != "" {
			p, ok = committed[b.ID]
		}
		if !ok {
			return nil, &drydock.Error{Code: drydock.Invalid, Message: fmt.Sprintf("there is no block %q", b.ID), Err: errNoBlock}
		}
		parts = append(parts, p)
	}
	return parts, nil
}

var errNoBlock = errors.New("no such block")

// Blocks implements Store.
func (f *Folder) Blocks(_ context.Context, key Key) (committed, staged []Block, err error) {
	if err := key.check(); err != nil {
		return nil, nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r, err := f.read(key)
	if err != nil && drydock.CodeOf(err) != drydock.NotFound {
		return nil, nil, err
	}
	s, stagingErr := f.staging(key)
	if stagingErr != nil {
		return nil, nil, stagingErr
	}
	if err != nil && len(s.blocks) == 0 {
		return nil, nil, err
	}
	if r != nil {
		for _, p := range r.Parts {
			if p.Block != "" {
				committed = append(committed, Block{p.Block, p.Size})
			}
		}
	}
	for _, p := range s.blocks {
		staged = append(staged, Block{p.Block, p.Size})
	}
	slices.SortFunc(staged, func(a, b Block) int { return strings.Compare(a.ID, b.ID) })
	return committed, staged, nil
}
