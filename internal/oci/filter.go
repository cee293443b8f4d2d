package oci

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"syscall"

	"github.com/drydockhq/drydock"
)

// filter holds distribution's answers to what went wrong in the server back:
// they tell clients of paths on its disk.
type filter struct {
	http.ResponseWriter
	status int // from 500 on; 0 otherwise
	body   bytes.Buffer
}

// maxHeldBack bounds what is kept of an answer that is held back.
const maxHeldBack = 8 << 10

// WriteHeader passes on a status below 500.
func (f *filter) WriteHeader(status int) {
	if status >= http.StatusInternalServerError {
		f.status = status
		return
	}
	f.ResponseWriter.WriteHeader(status)
}

// Write passes on the body of an answer that is not held back.
func (f *filter) Write(p []byte) (int, error) {
	if f.status == 0 {
		return f.ResponseWriter.Write(p)
	}
	if f.body.Len() < maxHeldBack {
		f.body.Write(p)
	}
	return len(p), nil
}

// Unwrap gives http.ResponseController what it looks for.
func (f *filter) Unwrap() http.ResponseWriter { return f.ResponseWriter }

// problem returns the error that an answer which was held back told of, nil if
// there was none.
func (f *filter) problem() error {
	switch {
	case f.status == 0:
		return nil
	case f.status == http.StatusServiceUnavailable:
		return drydock.Errorf(drydock.Unavailable, "the registry can't do this at the moment: %s", f.body.String())
	}
	return storageError(errors.New(f.body.String()))
}

// storageError gives a full disk its code. Drivers don't let errors.Is see what
// they wrap.
func storageError(err error) error {
	if err != nil && strings.Contains(err.Error(), syscall.ENOSPC.Error()) {
		return drydock.Errorf(drydock.Unavailable, "the disk with the blobs is full")
	}
	return err
}
