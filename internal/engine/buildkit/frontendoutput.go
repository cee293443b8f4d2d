package buildkit

import (
	"context"
	"io"
	"os"
	"sync"

	"github.com/moby/buildkit/executor"
	resources "github.com/moby/buildkit/executor/resources/types"
)

// frontendOutput is an executor that gives what an external frontend writes to
// its standard error to the build that it works for. BuildKit alone would write
// it to that of this process, past all masks.
type frontendOutput struct {
	executor.Executor
	runs *runTable
}

// Run implements executor.Executor.
func (e *frontendOutput) Run(ctx context.Context, id string, root executor.Mount, mounts []executor.Mount, process executor.ProcessInfo, started chan<- struct{}) (resources.Recorder, error) {
	if process.Stderr == os.Stderr {
		process.Stderr = unclosed{io.Discard}
		session, _ := lookupEnv(process.Meta.Env, "BUILDKIT_SESSION_ID")
		if b := e.runs.build(session); b != nil {
			process.Stderr = unclosed{b.Out}
		}
	}
	return e.Executor.Run(ctx, id, root, mounts, process, started)
}

// unclosed is a writer with a Close that does nothing.
type unclosed struct{ io.Writer }

// Close implements io.Closer.
func (unclosed) Close() error { return nil }

// lockedWriter lets several goroutines write to one writer.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

// Write implements io.Writer.
func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
