package engine

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/shell"
)

// runtime is what one attempt's script runs on.
type runtime struct {
	*command
	started func()
}

var _ shell.Runtime = (*runtime)(nil)

// Exec implements shell.Runtime.
func (r *runtime) Exec(ctx context.Context, c shell.Command) error {
	first := c.Index == 0
	if args, ok := dockerArgs(c.Args); ok && (!first || r.job.EntryPoint == "") {
		if first && r.started != nil {
			r.started()
		}
		return r.session.Docker(ctx, DockerCommand{
			StepID: r.job.ID, Args: args, Env: r.env(c), Dir: r.job.directory(),
			Stdin: c.Stdin, Stdout: orDiscard(c.Stdout), Stderr: orDiscard(c.Stderr),
		})
	}
	if first && r.job.Pull && !drydock.IsBuiltIn(c.Args[0]) {
		if err := r.pull(ctx, c); err != nil {
			return err
		}
	}
	return r.session.Run(ctx, r.container(c))
}

// container describes the container of a command. The first one is the step's
// own; the others get its environment, directory, network and volumes.
func (r *runtime) container(c shell.Command) Container {
	j := r.job
	box := Container{
		Name: fmt.Sprintf("%s_%d", j.ID, c.Index), Image: c.Args[0], Args: c.Args[1:],
		Env: r.env(c), Dir: j.start(), Network: j.Network, CPUs: j.CPUs, Mounts: j.VolumeMounts,
		Stdin: c.Stdin, Stdout: orDiscard(c.Stdout), Stderr: orDiscard(c.Stderr),
	}
	if c.Index == 0 {
		box.Name, box.EntryPoint, box.User = j.ID, j.EntryPoint, j.User
		box.Ports, box.Expose = j.Ports, j.Expose
		box.Privileged, box.Keep = j.Privileged, j.Keep
		box.Started = r.started
	}
	return box
}

func (r *runtime) env(c shell.Command) []string { return slices.Concat(r.job.Env, c.Env) }

// Open implements shell.Runtime.
func (r *runtime) Open(name string, flag int, perm os.FileMode) (io.ReadWriteCloser, error) {
	return r.session.OpenFile(r.job.directory(), name, flag, perm)
}

// pull asks the registry for the image of the step, once for all attempts.
func (r *runtime) pull(ctx context.Context, c shell.Command) error {
	if r.pulled.Load() {
		return nil
	}
	log, j := r.engine.Log, r.job
	log.Printf("Step specified pull. Performing an explicit pull...")
	for n := 0; ; n++ {
		err := r.session.Docker(ctx, DockerCommand{
			StepID: j.ID, Args: []string{"pull", c.Args[0]}, Env: j.Env, Dir: j.directory(),
			Stdout: orDiscard(c.Stderr), Stderr: orDiscard(c.Stderr),
		})
		if err == nil {
			r.pulled.Store(true)
			return nil
		}
		if n == j.DownloadRetries || ctx.Err() != nil {
			return fmt.Errorf("pulling image %s: %w", c.Args[0], err)
		}
		log.Printf("Pulling image failed: %s, waiting %d seconds before retrying...", c.Args[0], int(j.DownloadRetryDelay.Seconds()))
		if err := pause(ctx, j.DownloadRetryDelay); err != nil {
			return err
		}
	}
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}
