package engine

import "context"

// build makes one attempt at a build step.
func (r *run) build(ctx context.Context, j *job, out *streams) error {
	b := Build{
		StepID: j.ID,
		Flags:  j.flags,
		Dir:    j.directory(),
		Env:    j.Env,
		Mounts: j.VolumeMounts,
		Cache:  j.Cache,
		Out:    out.stdout,
	}
	if log, ok := r.engine.Log.(terminalLog); ok && r.alone(j) {
		b.Terminal = log.Terminal
	}
	return r.session.Build(ctx, b)
}

// workspace is the working directory of steps that name none.
const workspace = "/workspace"

// directory returns where the step's files are looked for.
func (j *job) directory() string {
	if j.WorkingDirectory == "" {
		return workspace
	}
	return j.WorkingDirectory
}

// start returns the working directory of the step's containers; empty for the
// image's own.
func (j *job) start() string {
	if j.DisableWorkingDirectoryOverride {
		return ""
	}
	return j.directory()
}
