package instance

import (
	"context"
	"io"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/drydockhq/drydock"
)

// Engine runs containers on this machine. Its methods, and those of what it
// returns, may be called from several goroutines.
type Engine interface {
	// Resolve asks an image's registry for the digest that its name stands for.
	Resolve(ctx context.Context, image string, credentials []drydock.Credential) (digest string, err error)

	// Open makes the network of a group. The caller closes it.
	Open(ctx context.Context, spec NetworkSpec) (Network, error)
}

// NetworkSpec is what the network of a group is made from.
type NetworkSpec struct {
	ID     string // letters, digits and "-"; of no other open network
	Public bool
	// Want is the address that a public group had before: it gets it again if
	// that is free. It may be invalid.
	Want netip.Addr
	// Hosts answer in the group's network, and nowhere else; nil for none.
	Hosts *drydock.RunHosts
}

// Network is the network of a group, with its address. It outlives the
// containers that are made anew.
type Network interface {
	// Address is that of a public group; invalid for others.
	Address() netip.Addr

	// NewPod makes the place for one generation of the group's containers.
	NewPod(ctx context.Context, spec PodSpec) (Pod, error)

	// Publish sends what comes to the group's ports to a pod from now on, and
	// to no port beside them. A port that something else of this machine has is
	// an error with code Conflict; what was published before stays then.
	Publish(ctx context.Context, pod Pod, ports []drydock.GroupPort) error

	// Drain waits until the connections that came to the group's ports and went
	// to a pod have ended, or ctx has. It is for one that is no longer published.
	Drain(ctx context.Context, pod Pod)

	// Close closes the pods too.
	Close() error
}

// LoginFunc returns what to sign in to a registry with, and false for nothing. It
// may be called from several goroutines.
type LoginFunc func(ctx context.Context, registry string) (drydock.Credential, bool, error)

// PodSpec is what a pod is made from.
type PodSpec struct {
	Host        string // name of the host that the containers see
	Credentials []drydock.Credential
	// Login returns what to sign in to a registry with where there is no
	// credential, false for nothing. It may be nil.
	Login   LoginFunc
	Volumes []drydock.GroupVolume
	// Hosts say what the containers know of the network's hosts; nil for nothing.
	Hosts *drydock.RunHosts
}

// Pod is one generation of a group's containers in one network namespace.
type Pod interface {
	// Pull makes an image ready and returns its digest. With a digest, that is
	// what it makes ready, whatever the name stands for meanwhile.
	Pull(ctx context.Context, image, digest string) (string, error)

	// Run runs a container to its end. A program that ends with any status is no
	// error; one that can't be started is, and drydock.ExitError says so. When
	// ctx ends, the container is killed.
	Run(ctx context.Context, c RunSpec) (Exit, error)

	// Signal sends a signal to the first process of a container that runs; none
	// that runs is no error.
	Signal(container string, signal syscall.Signal) error

	// Exec runs a command in a container that runs. Not running is an error with
	// code Conflict.
	Exec(ctx context.Context, container string, e ExecSpec) (status int, err error)

	// Dial connects to a port of the pod.
	Dial(ctx context.Context, network string, port uint16) (net.Conn, error)

	// Close kills what still runs.
	Close() error
}

// RunSpec is one life of a container.
type RunSpec struct {
	drydock.GroupContainer
	Digest  string // of the image, which Pull has made ready
	Output  io.Writer
	Started func() // called once when the program runs
}

// Exit is how a container ended.
type Exit struct {
	Status      int
	OutOfMemory bool
	At          time.Time
}

// ExecSpec is a command in a container.
type ExecSpec struct {
	Command []string
	Input   io.Reader // nil for none
	Output  io.Writer
	// Rows and Columns give it a terminal of that size; 0 for none.
	Rows, Columns int
}
