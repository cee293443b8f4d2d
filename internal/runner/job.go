package runner

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/logs"
)

// job is one run on its way through an Agent.
type job struct {
	agent  *Agent
	record drydock.RunRecord
	log    *logs.Log
	ending *ending // that log writes to
	masker *logs.Masker
	begin  func(context.Context) error
	// surveying says that there is no run: nothing is carried out.
	surveying bool

	request drydock.RunRequest
	facts   drydock.RunFacts
	digest  string // of the source, if that is an artifact
	result  *drydock.RunResult
	// declared is what the builds are to be made from; nil while that isn't known.
	declared *drydock.BuildSurvey
}

// carryOut carries out the run. The log says why it failed.
func (j *job) carryOut(ctx context.Context) error {
	if j.record.Attempts > 1 {
		j.log.Printf("The server that had this run is gone: carrying it out again (attempt %d)", j.record.Attempts)
	}
	err := j.run(ctx)
	if err != nil && j.result == nil {
		// It did not get as far as the engine, which would have said this.
		j.ending.hold()
		j.log.Printf("%v", err)
		j.log.Printf("Run ID: %s failed", j.record.ID)
	}
	return err
}

func (j *job) run(ctx context.Context) (err error) {
	defer func() { err = j.masker.Error(err) }()
	if j.request, err = j.agent.request(j.record); err != nil {
		return err
	}
	timeout := j.request.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, &timeoutError{timeout})
	defer cancel()
	defer func() {
		var late *timeoutError
		if err != nil && errors.As(context.Cause(ctx), &late) {
			err = &drydock.Error{Code: drydock.Failed, Message: late.Error(), Err: late}
		}
	}()
	j.hideSecrets()
	creds, err := j.credentials(ctx, timeout)
	if err != nil {
		return err
	}
	return j.execute(ctx, creds)
}

// hideSecrets keeps the request's secrets out of the log.
func (j *job) hideSecrets() {
	j.masker.Add(j.request.SourceToken)
	for _, list := range [][]drydock.RunValue{j.request.Arguments, j.request.Values} {
		for _, v := range list {
			if v.Secret {
				j.masker.Add(v.Value)
			}
		}
	}
}

func (j *job) execute(ctx context.Context, creds []drydock.Credential) error {
	planner, err := j.planner(creds)
	if err != nil {
		return err
	}
	runs := Runner{
		Fetcher: jobSource{j, creds},
		Engine: &engine.Engine{
			Executor: j.agent.Executor, Log: j.log, Secrets: j.masker, Now: j.agent.Now, Over: j.ending.hold,
		},
	}
	j.facts = j.newFacts()
	spec := engine.RunSpec{
		Credentials: creds, Limits: j.limits(), Untrusted: j.request.Untrusted,
		AllowPrivileged: j.agent.Privileged && !j.request.Untrusted, RealAzure: j.realAzure(),
	}
	if j.agent.CacheScope != nil {
		if spec.CacheScope, err = j.agent.CacheScope(ctx, j.record.Registry); err != nil {
			return err
		}
	}
	if spec.Hosts, err = j.hosts(ctx); err != nil {
		return err
	}
	j.result, err = runs.Run(ctx, Request{
		Source: j.request.Source, Task: announced{planner, j}, Facts: j.facts,
		Spec: spec,
	})
	return err
}

// hosts returns what answers in the run's network.
func (j *job) hosts(ctx context.Context) (*drydock.RunHosts, error) {
	if j.agent.Hosts == nil || j.request.Untrusted {
		return nil, nil
	}
	hosts, err := j.agent.Hosts(ctx, j.record)
	if err != nil || hosts == nil {
		return nil, err
	}
	j.masker.Add(hosts.Secrets...)
	return hosts, nil
}

// announced tells when there is a plan.
type announced struct {
	Planner
	job *job
}

// Plan implements Planner.
func (a announced) Plan(ctx context.Context, c *Checkout, facts drydock.RunFacts) (*drydock.Plan, error) {
	p, err := a.Planner.Plan(ctx, c, facts)
	if err != nil {
		return nil, err
	}
	a.job.declare(ctx, p, c)
	return p, a.job.begin(ctx)
}

// limits are the server's, with the number of processors of the run if that is
// smaller.
func (j *job) limits() drydock.Limits {
	limits := j.agent.Limits
	if cpus := float64(j.request.CPU); cpus > 0 && (limits.CPUs == 0 || cpus < limits.CPUs) {
		limits.CPUs = min(cpus, float64(runtime.NumCPU()))
	}
	return limits
}

func (j *job) newFacts() drydock.RunFacts {
	f := drydock.RunFacts{
		ID: j.record.ID, TaskName: j.record.Task, Registry: j.host(), Date: j.record.Created,
		OS: j.request.OS, Architecture: j.request.Architecture,
		TriggeredBy: j.triggeredBy(),
	}
	// What a change of the source started is about that change, wherever the
	// source has got to since. A trigger that can't be read says nothing.
	if t, err := drydock.ParseRunTrigger(j.record.Trigger); err == nil && t.Source != nil {
		f.Commit, f.Branch = t.Source.CommitID, t.Source.BranchName
		if tag, ok := strings.CutPrefix(f.Branch, "refs/tags/"); ok {
			f.Branch, f.GitTag = "", tag
		}
	}
	if f.OS == "" {
		f.OS = runtime.GOOS
	}
	if f.Architecture == "" {
		f.Architecture = runtime.GOARCH
	}
	return f
}

// triggeredBy names what caused the run, as in ACR's template variable.
func (j *job) triggeredBy() string {
	t := string(j.record.Trigger)
	switch {
	case strings.Contains(t, `"sourceTrigger"`):
		return "Source"
	case strings.Contains(t, `"imageUpdateTrigger"`):
		return "Image Update"
	case strings.Contains(t, `"timerTrigger"`):
		return "Timer"
	}
	return "Manual"
}

// host is the login server that the run's unqualified images are in.
func (j *job) host() string {
	if j.request.RunRegistry != "" {
		return j.request.RunRegistry
	}
	return j.agent.LoginServer(j.record.Registry)
}

// runUser is the user name that goes with a token, as in ACR.
const runUser = "00000000-0000-0000-0000-000000000000"

// credentials returns what the run signs in to registries with, the given ones
// before that of the run itself.
func (j *job) credentials(ctx context.Context, timeout time.Duration) ([]drydock.Credential, error) {
	var creds []drydock.Credential
	for _, c := range j.request.Credentials {
		found, err := j.credential(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("signing in to %s: %w", c.Registry, err)
		}
		j.masker.Add(found.Password)
		creds = append(creds, found)
	}
	if !j.request.RegistryLogin || j.request.Untrusted {
		return creds, nil
	}
	own, err := j.ownCredential(ctx, timeout)
	if err != nil {
		return nil, fmt.Errorf("signing in to the run's registry: %w", err)
	}
	j.masker.Add(own.Password)
	creds = append(creds, own)
	if j.agent.OtherHosts != nil {
		for _, host := range j.agent.OtherHosts(j.record) {
			own.Registry = host
			creds = append(creds, own)
		}
	}
	return creds, nil
}

// ownCredential is what the run signs in to its own registry with: as itself, or
// as whom its request says.
func (j *job) ownCredential(ctx context.Context, timeout time.Duration) (drydock.Credential, error) {
	host := j.agent.LoginServer(j.record.Registry)
	if identity := j.request.RegistryIdentity; identity != "" {
		if j.agent.Identities == nil {
			return drydock.Credential{}, noIdentities()
		}
		use := j.use(identity)
		use.Caller = j.request.Caller
		return j.agent.Identities.Login(ctx, use, host)
	}
	token, err := j.token(timeout)
	return drydock.Credential{Registry: host, Username: runUser, Password: token}, err
}

// token is what the run signs in to its own registry with.
func (j *job) token(timeout time.Duration) (string, error) {
	if j.surveying {
		return j.agent.Tokens.SurveyToken(j.record.Registry, timeout)
	}
	return j.agent.Tokens.RunToken(j.record, timeout)
}

func noIdentities() error {
	return drydock.Errorf(drydock.Unavailable, "this server has neither vaults nor identities for registries").
		WithHint("give the credential a user name and a password")
}

func (j *job) credential(ctx context.Context, c drydock.RunCredential) (drydock.Credential, error) {
	identities := j.agent.Identities
	if c.Identity != "" && c.Username.Value == "" && c.Password.Value == "" && j.isReal(c.Registry) {
		return drydock.Credential{}, drydock.Errorf(drydock.Invalid, "the run reaches the real Azure, which does not know the identity %s of this server", c.Identity).
			WithHint("give the credential a user name and a password; they can be URLs of secrets in a vault")
	}
	if identities == nil && (c.Identity != "" || c.Username.Vault || c.Password.Vault) {
		return drydock.Credential{}, noIdentities()
	}
	if c.Identity != "" && c.Username.Value == "" && c.Password.Value == "" {
		return identities.Login(ctx, j.use(c.Identity), c.Registry)
	}
	found := drydock.Credential{Registry: c.Registry}
	var err error
	if found.Username, err = j.value(ctx, c.Username, c.Identity); err != nil {
		return found, err
	}
	found.Password, err = j.value(ctx, c.Password, c.Identity)
	return found, err
}

// value returns a secret, from its vault if that is where it is.
func (j *job) value(ctx context.Context, v drydock.SecretValue, identity string) (string, error) {
	if !v.Vault {
		return v.Value, nil
	}
	return j.agent.Identities.Secret(ctx, j.use(identity), v.Value)
}

// use returns the use of an identity by the run, or by the server if the run is
// only surveyed. Who asked for the run is not among them: that one lets the run use
// its own registry, and not what its authors name.
func (j *job) use(identity string) drydock.IdentityUse {
	use := drydock.IdentityUse{Resource: j.request.Identity, Name: identity}
	if j.record.ID != surveyID {
		run := j.record.Key()
		use.Run = &run
	}
	return use
}

// jobSource fetches the source of a run.
type jobSource struct {
	*job
	creds []drydock.Credential
}

// Fetch implements Fetcher.
func (s jobSource) Fetch(ctx context.Context, source string) (*Checkout, error) {
	none := source == "" || source == "/dev/null"
	if !none {
		s.log.Printf("Downloading source code...")
	}
	c, err := s.agent.Sources.Fetch(ctx, SourceRequest{
		Registry: s.record.Registry, Source: source, Token: s.request.SourceToken, Pin: s.request.Pin,
		Ref: s.request.SourceRef, Untrusted: s.request.Untrusted,
		Credentials: s.creds, Log: s.log.Printf,
	})
	if err == nil && !none {
		s.log.Printf("Finished downloading source code")
	}
	if err == nil {
		s.facts, s.digest = c.complete(s.facts), c.Digest
	}
	return c, err
}
