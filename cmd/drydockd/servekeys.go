package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// The parts of a data folder.
const (
	lockFile       = "server.lock"
	sealKeyFile    = "keys/seal.key"
	certsFolder    = "certs"
	databaseFile   = "drydock.db"
	blobsFolder    = "blobs"
	registryFolder = "registries"
	engineFolder   = "engine"
	sourcesFolder  = "tmp"
	programsFolder = "bin"
)

// lockData makes the data folder if it is not there, and takes it for this
// process; the lock ends with it.
func lockData(ctx context.Context, dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "making the data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "locking the data folder: %w", err)
	}
	if err := waitFlock(ctx, f, unix.LOCK_EX, lockWithin); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = drydock.Errorf(drydock.Conflict, "another server is running on the data folder %s", dir).
				WithHint("stop it, or use another folder with --data")
		} else {
			err = drydock.Errorf(drydock.Unavailable, "locking the data folder: %w", err)
		}
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// lockWithin is how long the lock of a server that was killed may outlive it: in
// a process that it had forked and that had not yet become another program.
const lockWithin = 3 * time.Second

// waitFlock locks a file, and gives up when that can't be had within a time.
func waitFlock(ctx context.Context, f *os.File, how int, within time.Duration) error {
	for deadline := time.Now().Add(within); ; {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// openSealer returns what seals the secrets of the server. Its key is made at
// the first start.
func openSealer(dir string) (*auth.Sealer, error) {
	path := filepath.Join(dir, sealKeyFile)
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = makeSealKey(dir, path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the key of the server's secrets: %w", err)
	}
	return auth.NewSealer(key)
}

// makeSealKey refuses to make a key beside a database: what is sealed in that
// could not be read any more.
func makeSealKey(dir, path string) ([]byte, error) {
	if _, err := os.Stat(filepath.Join(dir, databaseFile)); err == nil {
		return nil, drydock.Errorf(drydock.Conflict, "%s is missing, but there is a database", path).
			WithHint("put the key back from a backup")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	key := auth.NewSealKey()
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(key)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	return key, os.Rename(path+".new", path)
}

// secretSetting returns 32 random bytes that the server keeps, sealed, under a
// name.
func secretSetting(ctx context.Context, settings drydock.SettingStore, sealer *auth.Sealer, name string) ([]byte, error) {
	fresh := make([]byte, 32)
	rand.Read(fresh) // never fails
	sealed, err := settings.AddSetting(ctx, name, sealer.Seal(fresh, name))
	if err != nil {
		return nil, fmt.Errorf("reading the setting %s: %w", name, err)
	}
	secret, err := sealer.Open(sealed, name)
	if err != nil {
		return nil, fmt.Errorf("reading the setting %s: %w", name, err)
	}
	return secret, nil
}
