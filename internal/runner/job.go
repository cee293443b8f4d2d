package runner

import (
	"context"
	"errors"
	"runtime"

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

// runUser is the user name that goes with a token, as in ACR.
const runUser = "00000000-0000-0000-0000-000000000000"

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
