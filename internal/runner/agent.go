package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/logs"
)

// Agent carries out the runs of a server. Its fields are set before the first
// call of CarryOut, which may be called from several goroutines.
type Agent struct {
	Executor     engine.Executor
	Sources      Sources
	Logs         LogStore
	Sealed       Opener
	Tokens       TokenIssuer
	LogArtifacts LogArtifacts // nil keeps no log in a registry
	Identities   Identities   // nil refuses credentials of identities and vaults
	Client       *http.Client // for alias files; nil for http.DefaultClient

	LoginServer func(registry drydock.ResourceID) string
	Limits      drydock.Limits    // of a run; its own number of processors counts if it is smaller
	Images      map[string]string // image aliases of `cmd`; nil for plan.DefaultImages
	Privileged  bool              // steps may be privileged
	// Hosts returns what answers in the network of a run; it may return nil, and be
	// nil, for nothing. Runs of what strangers wrote have none.
	Hosts func(ctx context.Context, r drydock.RunRecord) (*drydock.RunHosts, error)
	// OtherHosts returns further login servers of a run's registry; nil for none.
	OtherHosts func(r drydock.RunRecord) []string
	// RealAzure reports whether a run reaches the real Azure by the names of its
	// clouds; nil for never.
	RealAzure func(r drydock.RunRecord) bool
	// Canonical returns, for each host of a registry, the one by which its images
	// are noted; nil if registries have one host each.
	Canonical func(host string) string
	// CacheScope names whose runs share cache mounts with those of a registry;
	// nil for all.
	CacheScope func(ctx context.Context, registry drydock.ResourceID) (string, error)

	Now func() time.Time
}

// Sources fetches what runs are made from.
type Sources interface {
	// Fetch returns a checkout, which the caller closes. Nothing of the machine
	// may be named as a source.
	Fetch(ctx context.Context, s SourceRequest) (*Checkout, error)
}

// SourceRequest says which source a run needs.
type SourceRequest struct {
	Registry    drydock.ResourceID
	Source      string // as in drydock.RunRequest
	Pin         drydock.SourcePin
	Token       string // for a git host; empty for none
	Ref         string // as SourceRef in drydock.RunRequest
	Untrusted   bool   // the token is for the source alone, and nothing that it names
	Credentials []drydock.Credential
	Log         func(format string, args ...any)
}

// LogStore keeps the logs of runs.
type LogStore interface {
	// OpenLog opens the log of a run at its end, and makes it when there is none.
	OpenLog(ctx context.Context, registry drydock.ResourceID, run string) (RunLog, error)
}

// RunLog is the log of a run that is open for writing. Readers see what is
// written at once.
type RunLog interface {
	io.WriteCloser // Close leaves it open for another attempt of the run

	// Seal says to readers how the run ended, together with the last byte, and
	// closes the log.
	Seal(status drydock.RunStatus) error
}

// Opener opens what is sealed; see drydock.RunSecretsPurpose.
type Opener interface {
	Open(sealed []byte, purpose string) ([]byte, error)
}

// TokenIssuer makes the tokens with which a run signs in to its own registry, and
// those with which a registry is read for a survey.
type TokenIssuer interface {
	RunToken(r drydock.RunRecord, lifetime time.Duration) (string, error)
	SurveyToken(registry drydock.ResourceID, lifetime time.Duration) (string, error)
}

// Identities lets runs use the identities of their tasks. A use names the run.
type Identities interface {
	// Login returns the credential of an identity for a registry.
	Login(ctx context.Context, use drydock.IdentityUse, registry string) (drydock.Credential, error)

	// Secret reads a vault's secret as an identity.
	Secret(ctx context.Context, use drydock.IdentityUse, url string) (string, error)
}

// DefaultTimeout is how long a run may take that says nothing, as in ACR.
const DefaultTimeout = time.Hour

// Outcome is what became of a run.
type Outcome struct {
	Status drydock.RunStatus // one that a run ends with
	Result []byte            // as in drydock.RunRecord
	Steps  []drydock.StepResult
	// Log is still open: when the status is stored, Ending is to be written to it
	// and it is to be sealed with the status, so that whoever reads the end of the
	// log finds the run ended. It is nil when the log could not be opened.
	Log RunLog
	// Ending is the last lines of the log, which say how the run ended. Result has
	// them too, as logEnd.
	Ending []byte
}

// timeoutError is the cause with which a run is stopped that took too long.
type timeoutError struct{ after time.Duration }

func (e *timeoutError) Error() string {
	return fmt.Sprintf("the run timed out after %gs", e.after.Seconds())
}

// Is makes errors.Is(err, context.DeadlineExceeded) hold.
func (e *timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// CarryOut carries out a claimed run to its end. It calls begin when source and
// plan are there and the first step is about to start; an error of it ends the
// run. When ctx ends the run is stopped and counts as canceled. The caller closes
// or seals the outcome's log.
func (a *Agent) CarryOut(ctx context.Context, r drydock.RunRecord, begin func(context.Context) error) Outcome {
	log, err := a.Logs.OpenLog(ctx, r.Registry, r.ID)
	if err != nil {
		err = drydock.Errorf(drydock.Internal, "opening the log: %w", err)
		return Outcome{Status: drydock.RunError, Result: encodeResult(result{Error: err.Error()})}
	}
	masker, held := logs.NewMasker(), &ending{log: log}
	j := &job{
		agent: a, record: r, masker: masker, ending: held, begin: begin,
		log: logs.New(logs.Options{Renderer: logs.NewText(logs.CRLF(held)), Masker: masker, Now: a.Now}),
	}
	runErr := j.carryOut(ctx)
	o := Outcome{Status: endStatus(ctx, runErr), Log: log}
	if j.result != nil {
		o.Steps = j.result.Steps
	}
	summary := j.summary(runErr)
	j.keepLog(ctx, &summary)
	o.Ending = held.bytes()
	summary.LogEnd = string(o.Ending)
	o.Result = encodeResult(summary)
	return o
}

// endStatus returns the state of a run that ended with err.
func endStatus(ctx context.Context, err error) drydock.RunStatus {
	var timeout *timeoutError
	switch {
	case err == nil:
		return drydock.RunSucceeded
	case errors.As(err, &timeout):
		return drydock.RunTimeout
	case ctx.Err() != nil, drydock.CodeOf(err) == drydock.Canceled:
		return drydock.RunCanceled
	case drydock.CodeOf(err) == drydock.Internal:
		return drydock.RunError
	}
	return drydock.RunFailed
}

// request returns what a run is to do, with its secrets.
func (a *Agent) request(r drydock.RunRecord) (drydock.RunRequest, error) {
	var req drydock.RunRequest
	if err := json.Unmarshal(r.Request, &req); err != nil {
		return req, fmt.Errorf("reading the request of the run: %w", err)
	}
	if len(r.Secrets) == 0 {
		return req, nil
	}
	text, err := a.Sealed.Open(r.Secrets, drydock.RunSecretsPurpose(r.Registry))
	if err != nil {
		return req, fmt.Errorf("opening the secrets of the run: %w", err)
	}
	var secrets drydock.RunSecrets
	if err := json.Unmarshal(text, &secrets); err != nil {
		return req, errors.New("opening the secrets of the run: they are damaged")
	}
	return req.Join(secrets), nil
}
