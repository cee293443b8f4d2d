package runner

import (
	"context"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/plan"
)

// LogArtifacts keeps logs in registries.
type LogArtifacts interface {
	// PushLog pushes what there is of a run's log, and then ending, to its
	// registry, as the principal of the credential, and returns the manifest's
	// digest. It reads the log while that is still being written.
	PushLog(ctx context.Context, r drydock.RunRecord, c drydock.Credential, repository, tag string, ending []byte) (digest string, err error)
}

// pushLogFor bounds the time of pushing a log.
const pushLogFor = time.Minute

// keepLog pushes the log as the run's log template says. A run whose log can't
// be pushed has the status that it has; the log says so.
func (j *job) keepLog(ctx context.Context, r *result) {
	if j.request.LogTemplate == "" {
		return
	}
	// The log of a run that was cancelled is kept too.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pushLogFor)
	defer cancel()
	image, err := j.pushLog(ctx)
	if err != nil {
		j.log.Printf("WARNING: keeping the log in the registry: %v", err)
		return
	}
	r.LogArtifact = image
}

func (j *job) pushLog(ctx context.Context) (*outputImage, error) {
	if j.agent.LogArtifacts == nil || !j.request.RegistryLogin {
		return nil, drydock.Errorf(drydock.Invalid, "the run has no access to its registry")
	}
	name, err := plan.RenderText(ctx, plan.Input{Facts: j.facts}, j.request.LogTemplate)
	if err != nil {
		return nil, err
	}
	host := j.agent.LoginServer(j.record.Registry)
	repository, tag, tagged := strings.Cut(strings.TrimPrefix(name, host+"/"), ":")
	if !tagged {
		tag = j.record.ID
	}
	if err := drydock.CheckRepositoryName(repository); err != nil {
		return nil, err
	}
	token, err := j.agent.Tokens.RunToken(j.record, pushLogFor)
	if err != nil {
		return nil, err
	}
	j.masker.Add(token)
	login := drydock.Credential{Registry: host, Username: runUser, Password: token}
	digest, err := j.agent.LogArtifacts.PushLog(ctx, j.record, login, repository, tag, j.ending.bytes())
	if err != nil {
		return nil, err
	}
	return &outputImage{Registry: host, Repository: repository, Tag: tag, Digest: digest}, nil
}
