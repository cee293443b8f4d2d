// Package buildflags parses the arguments of `docker build` and `docker buildx
// build`, as they stand in a task's build steps.
package buildflags

// Build is a parsed `docker build` command line.
type Build struct {
	// Context is a folder, a URL or "-"; never empty. ContextKind says which.
	Context string

	// Dockerfile is the value of -f; empty for the Dockerfile of the context,
	// "-" for standard input. With a local context it is relative to the
	// working directory, not to the context, as docker has it. With a git or
	// tarball context it is relative to the root of what was fetched, which
	// for a git context is the subdirectory of its fragment.
	Dockerfile string

	Tags          []string // as written; each is a valid reference without a digest
	Args          []Arg    // --build-arg
	SecretArgs    []Arg    // --secret-build-arg: never in image history or log
	Target        string
	Platforms     []string // lower case; empty for linux/amd64
	Labels        []Arg
	NoCache       bool
	NoCacheFilter []string // stages to build without the cache
	Pull          bool
	Secrets       []Secret
	SSH           []SSH
	Network       string   // "", "default", "none" or "host"
	AddHosts      []string // HOST:IP
	CacheFrom     []CacheEntry
	CacheTo       []CacheEntry
	BuildContexts []Arg // --build-context NAME=VALUE
	Push          bool
	Load          bool // accepted; what is built is always in the run's images

	Memory    int64  // -m, bytes; 0 for none
	CPUQuota  int64  // --cpu-quota or --cpus, microseconds; 0 for none
	CPUPeriod int64  // --cpu-period or --cpus, microseconds; 0 for none
	CPUShares int64  // --cpu-shares; 0 for none
	CPUSet    string // --cpuset-cpus
	ShmSize   int64  // --shm-size, bytes; 0 for default
	Ulimits   []string

	Progress string // "", "auto", "plain", "tty", "quiet", "rawjson" or "none"
	Quiet    bool
	Warnings []string // flags that are accepted and mean nothing here, one sentence each
}

// Arg is NAME or NAME=VALUE. Without a value docker takes it from the
// environment.
type Arg struct {
	Name     string
	Value    string
	HasValue bool
}

// Secret is a --secret: a file of the workspace or a variable of the step's
// environment. With neither Src nor Env it is the variable named ID when
// there is one, and otherwise the file of that name.
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
	Type  string            // "registry", "inline", "local", …
	Attrs map[string]string // without type; "ref" names the image of a registry cache
}
