// Package buildflags parses the arguments of `docker build` and `docker buildx
// build`, as they stand in a task's build steps.
package buildflags

// Build is a parsed `docker build` command line.
type Build struct {
	Context       string // folder, URL, or "-"; never empty
	Dockerfile    string // -f, relative to the working directory as docker has it; empty for Context/Dockerfile; "-" for standard input
	Tags          []string
	Args          []Arg // --build-arg
	SecretArgs    []Arg // --secret-build-arg: never in image history or log
	Target        string
	Platforms     []string // as written; empty for linux/amd64
	Labels        []Arg
	NoCache       bool
	Pull          bool
	Secrets       []Secret
	SSH           []SSH
	Network       string   // "", "default", "none" or "host"
	AddHosts      []string // HOST:IP
	CacheFrom     []CacheEntry
	CacheTo       []CacheEntry
	Push          bool
	Memory        int64  // -m, bytes; 0 for none
	CPUQuota      int64  // --cpu-quota, microseconds; 0 for none
	CPUPeriod     int64  // --cpu-period, microseconds; 0 for none
	CPUShares     int64  // --cpu-shares; 0 for none
	CPUSet        string // --cpuset-cpus
	ShmSize       int64  // --shm-size, bytes; 0 for default
	Ulimits       []string
	BuildContexts []Arg // --build-context NAME=VALUE
	Quiet         bool
	Warnings      []string // flags that are accepted and mean nothing here, one sentence each
}

// Arg is NAME or NAME=VALUE. Without a value docker takes it from the
// environment.
type Arg struct {
	Name     string
	Value    string
	HasValue bool
}

// Secret is a --secret: a file of the workspace or a variable of the step's
// environment.
type Secret struct {
	ID  string
	Src string // file; empty when Env is set
	Env string // variable name
}

// SSH is an --ssh: an agent socket or keys.
type SSH struct {
	ID    string
	Paths []string // empty for the agent of the environment
}

// CacheEntry is a --cache-from or --cache-to.
type CacheEntry struct {
	Type  string // "registry", "inline", "local", …
	Attrs map[string]string
}
