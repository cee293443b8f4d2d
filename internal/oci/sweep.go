package oci

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/distribution/distribution/v3/registry/storage"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"
)

// Where distribution keeps what in storage.
const (
	storageRoot      = "/docker"
	storedBlobs      = "/docker/registry/v2/blobs"
	storedRepository = "/docker/registry/v2/repositories"
)

// sweepBatch is how many blobs are deleted while commits of uploads wait.
const sweepBatch = 50

// Swept says what a sweep has freed.
type Swept struct {
	Links   int // blobs taken from a repository
	Blobs   int // blobs deleted
	Bytes   int64
	Uploads int // uploads given up
}

// Sweep deletes the blobs of a registry that no manifest needs and uploads that
// nobody goes on with, each after its grace time. Pushes may go on meanwhile: what they need is kept, or found missing
// when they ask for it. Errors about single blobs don't stop it.
func (s *Server) Sweep(ctx context.Context, reg Registry) (Swept, error) {
	a, err := s.app(reg)
	if err != nil {
		return Swept{}, err
	}
	sw := &sweeper{
		content: a.content,
		before:  time.Now().Add(-s.options.Grace), idle: time.Now().Add(-s.options.UploadGrace),
		vacuum: storage.NewVacuum(logContext{ctx, a.logger}, a.content.driver),
	}
	err = errors.Join(sw.unneeded(ctx), sw.orphans(ctx), sw.uploads(ctx))
	if err != nil {
		err = fmt.Errorf("sweeping registry %s: %w", reg.ID.Name(), err)
	}
	return sw.swept, err
}

// Drop deletes all blobs of a registry that is gone from the store.
func (s *Server) Drop(ctx context.Context, reg Registry) error {
	a, err := s.app(reg)
	if err != nil {
		return err
	}
	s.mu.Lock()
	for name, kept := range s.apps {
		if kept == a {
			delete(s.apps, name)
		}
	}
	s.mu.Unlock()
	a.content.sweep.Lock()
	defer a.content.sweep.Unlock()
	err = a.content.driver.Delete(ctx, storageRoot)
	if isGone(err) {
		err = nil
	}
	if err == nil && a.dir != "" {
		_ = os.Remove(a.dir) // it stays if somebody uploads to it meanwhile
	}
	if err = errors.Join(err, a.Shutdown()); err != nil {
		return fmt.Errorf("deleting the blobs of registry %s: %w", reg.ID.Name(), err)
	}
	return nil
}

// sweeper is one sweep.
type sweeper struct {
	content *content
	vacuum  storage.Vacuum
	before  time.Time // blobs used before it may go
	idle    time.Time // uploads written to before it go
	swept   Swept
}

// unneeded deletes what the store says that nobody needs.
func (s *sweeper) unneeded(ctx context.Context) error {
	var failed error
	for {
		n, err := s.batch(ctx, &failed)
		if err != nil || n < sweepBatch {
			return errors.Join(err, failed)
		}
	}
}

func (s *sweeper) batch(ctx context.Context, failed *error) (int, error) {
	s.content.sweep.Lock()
	defer s.content.sweep.Unlock()
	links, gone, err := s.content.store.SweepBlobs(ctx, s.content.registry, s.before, sweepBatch)
	if err != nil {
		return 0, err
	}
	sizes := map[string]int64{}
	for _, l := range links {
		sizes[l.Canonical] = l.Size
		s.swept.Links++
		if err := s.vacuum.RemoveLayer(l.Repository, digest.Digest(l.Digest)); err != nil && !isGone(err) {
			*failed = errors.Join(*failed, err)
		}
	}
	for _, d := range gone {
		if err := s.vacuum.RemoveBlob(d); err != nil && !isGone(err) {
			*failed = errors.Join(*failed, err)
			continue
		}
		s.swept.Blobs++
		s.swept.Bytes += sizes[d]
	}
	return len(links), nil
}

// orphans deletes bytes that the store doesn't know of: of a push or a sweep
// that a crash has cut off, of a blob that was deleted.
func (s *sweeper) orphans(ctx context.Context) error {
	var failed error
	err := s.content.driver.Walk(ctx, storedBlobs, func(f storagedriver.FileInfo) error {
		if f.IsDir() || path.Base(f.Path()) != "data" || !f.ModTime().Before(s.before) {
			return ctx.Err()
		}
		folder := path.Dir(f.Path())
		d := digest.NewDigestFromEncoded(digest.Algorithm(path.Base(path.Dir(path.Dir(folder)))), path.Base(folder))
		if d.Validate() != nil {
			return nil
		}
		removed, err := s.orphan(ctx, d)
		if removed {
			s.swept.Blobs++
			s.swept.Bytes += f.Size()
		}
		failed = errors.Join(failed, err)
		return ctx.Err()
	})
	if isGone(err) {
		err = nil
	}
	return errors.Join(err, failed)
}

func (s *sweeper) orphan(ctx context.Context, d digest.Digest) (bool, error) {
	held, err := s.content.store.Holder(ctx, s.content.registry, d.String())
	if err != nil || held != "" {
		return false, err
	}
	s.content.sweep.Lock()
	defer s.content.sweep.Unlock()
	if held, err = s.content.store.Holder(ctx, s.content.registry, d.String()); err != nil || held != "" {
		return false, err
	}
	if err := s.vacuum.RemoveBlob(d.String()); err != nil && !isGone(err) {
		return false, err
	}
	return true, nil
}

// uploads deletes the uploads to which nobody has written for long.
func (s *sweeper) uploads(ctx context.Context) error {
	var failed error
	err := s.content.driver.Walk(ctx, storedRepository, func(f storagedriver.FileInfo) error {
		name := path.Base(f.Path())
		if !f.IsDir() || !strings.HasPrefix(name, "_") {
			return ctx.Err()
		}
		if name == "_uploads" {
			failed = errors.Join(failed, s.uploadsIn(ctx, f.Path()))
		}
		return storagedriver.ErrSkipDir
	})
	if isGone(err) {
		err = nil
	}
	return errors.Join(err, failed)
}

func (s *sweeper) uploadsIn(ctx context.Context, folder string) error {
	sessions, err := s.content.driver.List(ctx, folder)
	if err != nil && !isGone(err) {
		return err
	}
	for _, session := range sessions {
		last, err := s.lastWrite(ctx, session)
		if err != nil {
			return err
		}
		if !last.Before(s.idle) {
			continue
		}
		if err := s.content.driver.Delete(ctx, session); err != nil && !isGone(err) {
			return err
		}
		s.swept.Uploads++
	}
	return nil
}

// lastWrite returns when one of the files of an upload was last written.
func (s *sweeper) lastWrite(ctx context.Context, session string) (time.Time, error) {
	var last time.Time
	files, err := s.content.driver.List(ctx, session)
	if err != nil && !isGone(err) {
		return last, err
	}
	for _, file := range append(files, session) {
		info, err := s.content.driver.Stat(ctx, file)
		if isGone(err) {
			continue
		}
		if err != nil {
			return last, err
		}
		if info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last, nil
}

// isGone reports that storage has nothing at a path, or no longer.
func isGone(err error) bool {
	var none storagedriver.PathNotFoundError
	var failed storagedriver.Error
	return errors.As(err, &none) || errors.Is(err, fs.ErrNotExist) ||
		errors.As(err, &failed) && errors.Is(failed.Detail, fs.ErrNotExist)
}
