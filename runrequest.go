package drydock

import (
	"net/url"
	"slices"
	"time"
)

// RunSecretsPurpose is what the secrets of runs of a registry are sealed for.
func RunSecretsPurpose(registry ResourceID) string { return "runs " + registry.Key() }

// RunRequestKind says what a run carries out, named as in ACR's API.
type RunRequestKind string

// The kinds of run request. A request to run a task becomes one of these.
const (
	DockerBuildRun RunRequestKind = "DockerBuildRequest"
	FileTaskRun    RunRequestKind = "FileTaskRunRequest"
	EncodedTaskRun RunRequestKind = "EncodedTaskRunRequest"
)

// RunRequest is all that is needed to carry out a run.
type RunRequest struct {
	Kind RunRequestKind
	// Source is where the context comes from: a URL of a git repository or a
	// tarball, an OCI artifact, the relative path of an upload; empty or
	// "/dev/null" for none.
	Source      string
	SourceToken string // secret
	// SourceRef is where the commit that Source names can be found if it is in no
	// branch, as refs/pull/7/head; may be empty.
	SourceRef string
	// Untrusted says that strangers wrote what is run, as a pull request from a
	// fork: it may do nothing that would reach further than its own log.
	Untrusted bool
	Pin       SourcePin

	Dockerfile string // of a DockerBuildRun, in the source
	Images     []string
	Push       bool
	NoCache    bool
	Target     string
	Arguments  []RunValue

	TaskFile      string // of a FileTaskRun, in the source
	ValuesFile    string // in the source; may be empty
	TaskContent   []byte // of an EncodedTaskRun: YAML
	ValuesContent []byte // YAML; may be empty
	Values        []RunValue

	Platform     string // as the client wrote it, "Linux/amd64"; to be shown
	OS           string // "linux"
	Architecture string // "amd64"
	Variant      string // may be empty
	CPU          int    // 0 for the default
	Timeout      time.Duration

	Credentials   []RunCredential // in the order of their registries
	RegistryLogin bool            // the run may use its own registry without more
	// RegistryIdentity is as whom the run uses its own registry instead of as
	// itself: CallerIdentity, or the name of one of its identities; empty for none.
	RegistryIdentity string `json:",omitempty"`
	Caller           string `json:",omitempty"` // object id of who asked for the run, for CallerIdentity
	// RunRegistry is the login server, with a path if any, that stands for the
	// run's own registry; empty for the registry that the run belongs to.
	RunRegistry string

	LogTemplate        string // repository and tag for the log, as a template
	UpdateTriggerToken string
	// TellUpdates is what the endpoint of the run's task is told when a base image
	// has changed: "Default" or "Token"; empty when there is none.
	TellUpdates string `json:",omitempty"`
	// Identity is the resource whose identities the run may use: a task; zero
	// for none.
	Identity ResourceID

	// RerunOf is the id of the run that this one repeats; empty for none.
	RerunOf string
}

// SourcePin is what a source turned out to be. A source that is pinned is that,
// whatever its ref or tag means by now; the zero value pins nothing.
type SourcePin struct {
	Commit string // of a git repository, in full
	Branch string // that was checked out, "HEAD" for none; goes with Commit
	Digest string // of an artifact
}

// RunValue is a build argument or a value of a task file.
type RunValue struct {
	Name   string
	Value  string
	Secret bool
}

// RunCredential says how a run logs in to another registry.
type RunCredential struct {
	Registry string // host, with port if any
	Username SecretValue
	Password SecretValue
	// Identity signs in, or reads the vault: "[system]" or the client id of a
	// user-assigned identity; empty for none.
	Identity string
}

// SecretValue is a secret, or the URL in a vault where it is.
type SecretValue struct {
	Value string // secret, unless Vault
	Vault bool   // Value is the URL of a vault's secret
}

// RunSecrets is what a RunRequest holds that is secret.
type RunSecrets struct {
	Source      string            `json:",omitempty"` // if it has a password in it
	SourceToken string            `json:",omitempty"`
	Arguments   map[string]string `json:",omitempty"`
	Values      map[string]string `json:",omitempty"`
	Usernames   map[string]string `json:",omitempty"` // by registry
	Passwords   map[string]string `json:",omitempty"` // by registry
}

// Empty reports that there is nothing secret.
func (s RunSecrets) Empty() bool {
	return s.Source == "" && s.SourceToken == "" && len(s.Arguments)+len(s.Values)+len(s.Usernames)+len(s.Passwords) == 0
}

// Distrusted returns the request for a run of what strangers wrote: without its
// secrets, credentials and identities, without the rights of its registry, and
// with nothing to push or to keep elsewhere. What it fetches the source with
// stays: that is for the server's own use. It leaves r alone.
func (r RunRequest) Distrusted() RunRequest {
	r.Untrusted = true
	r.Push, r.RegistryLogin = false, false
	r.Credentials, r.Identity = nil, ResourceID{}
	r.RegistryIdentity, r.Caller = "", ""
	r.LogTemplate, r.UpdateTriggerToken = "", ""
	open := func(values []RunValue) []RunValue {
		return slices.DeleteFunc(slices.Clone(values), func(v RunValue) bool { return v.Secret })
	}
	r.Arguments, r.Values = open(r.Arguments), open(r.Values)
	return r
}

// Split returns the request without its secrets, and those. It leaves r alone.
func (r RunRequest) Split() (RunRequest, RunSecrets) {
	s := RunSecrets{SourceToken: r.SourceToken}
	r.SourceToken = ""
	if u, err := url.Parse(r.Source); err == nil && u.User != nil {
		s.Source, u.User = r.Source, nil
		r.Source = u.String()
	}
	r.Arguments, s.Arguments = splitValues(r.Arguments)
	r.Values, s.Values = splitValues(r.Values)
	credentials := make([]RunCredential, len(r.Credentials))
	for i, c := range r.Credentials {
		c.Username = splitSecret(c.Username, c.Registry, &s.Usernames)
		c.Password = splitSecret(c.Password, c.Registry, &s.Passwords)
		credentials[i] = c
	}
	r.Credentials = credentials
	return r, s
}

// Join returns the request with the secrets that Split took out of it.
func (r RunRequest) Join(s RunSecrets) RunRequest {
	r.SourceToken = s.SourceToken
	if s.Source != "" {
		r.Source = s.Source
	}
	r.Arguments = joinValues(r.Arguments, s.Arguments)
	r.Values = joinValues(r.Values, s.Values)
	credentials := make([]RunCredential, len(r.Credentials))
	for i, c := range r.Credentials {
		if !c.Username.Vault {
			c.Username.Value = s.Usernames[c.Registry]
		}
		if !c.Password.Vault {
			c.Password.Value = s.Passwords[c.Registry]
		}
		credentials[i] = c
	}
	r.Credentials = credentials
	return r
}

func splitValues(values []RunValue) ([]RunValue, map[string]string) {
	out := make([]RunValue, len(values))
	secrets := map[string]string{}
	for i, v := range values {
		if v.Secret {
			secrets[v.Name], v.Value = v.Value, ""
		}
		out[i] = v
	}
	return out, secrets
}

func joinValues(values []RunValue, secrets map[string]string) []RunValue {
	out := make([]RunValue, len(values))
	for i, v := range values {
		if v.Secret {
			v.Value = secrets[v.Name]
		}
		out[i] = v
	}
	return out
}

func splitSecret(v SecretValue, key string, secrets *map[string]string) SecretValue {
	if v.Vault || v.Value == "" {
		return v
	}
	if *secrets == nil {
		*secrets = map[string]string{}
	}
	(*secrets)[key] = v.Value
	return SecretValue{}
}
