package drydock

import (
	"net/netip"
	"time"
)

// ContainerGroupView is how a container group stands.
type ContainerGroupView struct {
	// Generation is the one whose containers are seen; it lags behind the
	// group's own for a moment.
	Generation string
	// Provisioning says how far the generation has come: Pending, Creating,
	// Succeeded or Failed. A Failed one is still tried.
	Provisioning string
	Problem      string // why it failed
	State        string // Pending, Running, Succeeded, Failed or Stopped
	Address      netip.Addr
	Init         []ContainerView // in the order of the group
	Containers   []ContainerView
	Events       []InstanceEvent // of the group, the oldest first
}

// The states of a ContainerGroupView.
const (
	GroupPending   = "Pending"
	GroupCreating  = "Creating"
	GroupRunning   = "Running"
	GroupSucceeded = "Succeeded"
	GroupFailed    = "Failed"
	GroupStopped   = "Stopped"
)

// ContainerView is how a container of a group stands.
type ContainerView struct {
	Name     string
	Current  ContainerState
	Previous *ContainerState // nil in its first life
	Restarts int
	Events   []InstanceEvent // the oldest first
}

// ContainerState is a state that a container is or was in.
type ContainerState struct {
	State    string // Waiting, Running or Terminated
	Detail   string
	Started  time.Time // zero for Waiting
	Finished time.Time // of Terminated
	ExitCode int
}

// The states of a container.
const (
	ContainerWaiting    = "Waiting"
	ContainerRunning    = "Running"
	ContainerTerminated = "Terminated"
)

// InstanceEvent is something that happened to a group or a container, once or
// several times.
type InstanceEvent struct {
	Name        string // Pulling, Pulled, Started, Killing, …
	Type        string // Normal or Warning
	Message     string
	Count       int
	First, Last time.Time
}

// Console is a stream of a container that a client may open once: a websocket.
type Console struct {
	Path     string // below the management host
	Password string // the first message, or the value of the header Authorization
}

// ConsoleRequest is what a Console is made for.
type ConsoleRequest struct {
	Group     ResourceID
	Container string
	Command   []string // to run on a terminal; empty to see the container's output
	Rows      int
	Columns   int
}
