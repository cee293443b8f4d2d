package shell_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"sync"
	"testing"

	"github.com/drydockhq/drydock/internal/shell"
)

// fake is a runtime whose images are functions. It counts what is running and
// which files are open.
type fake struct {
	images  map[string]func(context.Context, shell.Command) error
	openErr error

	mu      sync.Mutex
	ran     []shell.Command // without streams, in the order of their starts
	running int
	open    int
}

func (f *fake) Exec(ctx context.Context, c shell.Command) error {
	f.mu.Lock()
	f.ran = append(f.ran, shell.Command{Index: c.Index, Args: c.Args, Env: c.Env})
	f.running++
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.running--
		f.mu.Unlock()
	}()
	if run := f.images[c.Args[0]]; run != nil {
		return run(ctx, c)
	}
	return nil
}

func (f *fake) Open(name string, _ int, _ os.FileMode) (io.ReadWriteCloser, error) {
	if f.openErr != nil {
		return nil, f.openErr
	}
	if name == "missing" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open++
	return &fakeFile{owner: f}, nil
}

// idle fails the test when something of a script is left.
func (f *fake) idle(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running != 0 || f.open != 0 {
		t.Errorf("%d commands are running and %d files are open after Run", f.running, f.open)
	}
}

type fakeFile struct {
	bytes.Buffer
	owner *fake
}

func (f *fakeFile) Close() error {
	f.owner.mu.Lock()
	defer f.owner.mu.Unlock()
	f.owner.open--
	return nil
}
