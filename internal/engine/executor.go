package engine

import (
	"context"
	"io"
	"os"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/buildflags"
)

// Executor is where runs are carried out. Its methods may be called from
// several goroutines.
type Executor interface {
	// Open makes ready what a run needs: workspace, home, networks, volumes and
	// registry logins. The caller closes the session.
	Open(ctx context.Context, spec RunSpec) (Session, error)
}

// RunSpec is what an executor must know of a run before its first step.
type RunSpec struct {
	ID          string // letters, digits, "-" and "_"
	TaskName    string // names the run's caches; empty for a quick run
	CacheScope  string // cache mounts are shared with runs of the same one only; may be empty
	Registry    string // login server of the run; may be empty
	Source      string // folder of the context, never written to; empty for none
	Commit      string // that Source was read from; empty when it is no work tree
	Checkout    bool   // Source was fetched from git for this run: its .git is no part of what is built
	Networks    []drydock.Network
	Volumes     []drydock.Volume
	Credentials []drydock.Credential // strongest first where two name one registry
	Limits      drydock.Limits

	// Secret is told of values that come up during the run and must not appear
	// in its log, as the password of a `docker login`. The engine sets it.
	Secret func(values ...string)

	AllowPrivileged bool // steps with `privileged: true` may run
	// Untrusted says that strangers wrote what is run: it neither reads nor writes
	// caches of runs that are trusted, but for what builds are keyed by, and
	// pushes nothing.
	Untrusted bool
	Publish   bool // `ports` are published on this machine too
	// Hosts answer in the run's network, for its containers but not for its builds;
	// nil for none.
	Hosts *drydock.RunHosts
	// RealAzure says that registries by the names of Azure's clouds are those of
	// Azure, whatever this machine has by their names.
	RealAzure bool
}

// Session is one run on an executor. It owns the run's image table, networks,
// workspace and credentials. All methods but Close may be called from several
// goroutines; all of them return soon after their context ends, with what they
// started stopped.
type Session interface {
	// Build builds an image and puts it into the run's image table under its
	// tags. It pushes nothing unless the flags say so.
	Build(ctx context.Context, b Build) error

	// Run runs a container to its end. A status other than 0 is returned as
	// *drydock.ExitError.
	Run(ctx context.Context, c Container) error

	// Push pushes an image of the run's image table and returns the digest of
	// the manifest or index. It makes one attempt. Its error names the image.
	Push(ctx context.Context, image string, out io.Writer) (digest string, err error)

	// Docker carries out a `docker` command on the run's image table. A command
	// that fails as docker's own would returns *drydock.ExitError after its
	// message went to Stderr.
	Docker(ctx context.Context, c DockerCommand) error

	// OpenFile opens a file as a step's shell would for a redirection. A
	// relative name is taken from dir, which is relative to /workspace unless
	// absolute. Anything outside the workspace but /dev/null is refused.
	OpenFile(dir, name string, flag int, perm os.FileMode) (io.ReadWriteCloser, error)

	// Dependencies returns what the builds so far were made from, in the order
	// in which they ended, with the digests of images that were pushed.
	Dependencies() []drydock.ImageDependencies

	// Close stops what still runs and leaves nothing of the run behind but
	// caches. It may be called once.
	Close() error
}

// PushedLister is a Session that knows what the run has pushed.
type PushedLister interface {
	// Pushed returns the images that were pushed so far, whatever they were made
	// by, with their digests, ordered by their names.
	Pushed() []drydock.ImageReference
}

// Build is a build to carry out.
type Build struct {
	StepID string
	Flags  *buildflags.Build
	Dir    string   // working directory, relative to /workspace unless absolute
	Env    []string // of the step
	Mounts []drydock.VolumeMount
	Cache  bool      // read and write a cache in the run's registry, as `cache: enabled`
	Stdin  io.Reader // the context `-`; nil for none
	Out    io.Writer // progress
	// Terminal lends out a terminal to draw the progress on instead, until
	// release is called; it returns nil when there is none. May be nil.
	Terminal func() (t drydock.Terminal, release func())
}

// Container is a container to run.
type Container struct {
	Name       string // host name and DNS name in the run; unique among running containers
	Image      string
	Pull       bool // ask the registry even when the image is in the run's table
	Args       []string
	EntryPoint string // replaces the image's entry point and command; split like a shell would
	Env        []string
	Dir        string // working directory, relative to /workspace unless absolute; empty for the image's own
	User       string
	Network    string // name of one of the run's networks, "host" (the run's own namespace) or "none"
	Ports      []string
	Expose     []string
	Privileged bool
	CPUs       string
	Keep       bool
	Mounts     []drydock.VolumeMount
	Stdin      io.Reader // nil for none
	Stdout     io.Writer
	Stderr     io.Writer
	Started    func() // called once when the process runs; may be nil
}

// DockerCommand is a command line of the docker client.
type DockerCommand struct {
	StepID string
	Args   []string // after "docker"
	Env    []string
	Dir    string
	Stdin  io.Reader // nil for none
	Stdout io.Writer
	Stderr io.Writer
}
