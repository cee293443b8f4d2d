package drydock

// ContainerGroup is a set of containers that keep running beside each other,
// as in Azure Container Instances: they share a network namespace and, if the
// group is public, an address.
type ContainerGroup struct {
	ID ResourceID
	// Generation differs each time that the containers are to be made anew: by a
	// new definition, a start or a restart.
	Generation    string
	Stopped       bool
	Digests       map[string]string // of images, by their names, that are to be had whatever the names stand for meanwhile
	RestartPolicy RestartPolicy
	Init          []GroupContainer // each runs to its end before the next, and before Containers
	Containers    []GroupContainer
	Credentials   []Credential // for the registries of the images
	Logins        []GroupLogin // to registries of the images by identities
	Volumes       []GroupVolume
	Public        bool
	Ports         []GroupPort // of the public address
}

// GroupLogin says that images of a registry are pulled as a user-assigned
// identity of the group.
type GroupLogin struct {
	Registry string // host
	Identity ResourceID
}

// RestartPolicy says when a container that has ended is started again.
type RestartPolicy string

// The restart policies, with the words of Azure Container Instances.
const (
	RestartAlways    RestartPolicy = "Always"
	RestartOnFailure RestartPolicy = "OnFailure"
	RestartNever     RestartPolicy = "Never"
)

// GroupContainer is a container of a group.
type GroupContainer struct {
	Name    string
	Image   string
	Command []string // in place of the image's entry point and command; empty for those
	Env     []string // NAME=value
	CPUs    float64  // number of processors; 0 for no limit
	Memory  int64    // bytes; 0 for no limit of its own
	Mounts  []GroupMount
	// Ready says when the container can be sent requests, and Alive whether it
	// still works; nil for no such probe.
	Ready, Alive *Probe
}

// GroupPort is a port of a group's address.
type GroupPort struct {
	Number   uint16
	Protocol string // tcp or udp
}

// GroupVolume is a folder that containers of a group share.
type GroupVolume struct {
	Name  string
	Files map[string][]byte // of a volume of secrets, kept in memory; nil for an empty folder
}

// GroupMount puts a volume into a container.
type GroupMount struct {
	Volume   string
	Path     string
	ReadOnly bool
}

// Probe looks at a container from time to time. Exactly one of Exec and URL is
// set.
type Probe struct {
	Exec []string // a command that ends with status 0
	// URL is asked for in the group's network; a status from 200 to 399 is good.
	URL              string
	Headers          [][2]string
	Delay            int // seconds before the first look
	Period           int // seconds between two
	Timeout          int // seconds
	FailureThreshold int // looks in a row until it counts
	SuccessThreshold int
}
