package runner_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine/enginetest"
	"github.com/drydockhq/drydock/internal/runner"
)

var contoso = drydock.ResourceID{
	Subscription: "s", Group: "g", Namespace: "Microsoft.ContainerRegistry",
	Types: []string{"registries"}, Names: []string{"contoso"},
}

// server is all that an agent needs, in memory.
type server struct {
	mu       sync.Mutex
	log      bytes.Buffer
	sealed   drydock.RunStatus
	checkout runner.Checkout
	fetch    error
	asked    runner.SourceRequest
	openErr  error
}

func (s *server) OpenLog(context.Context, drydock.ResourceID, string) (runner.RunLog, error) {
	return s, s.openErr
}

func (s *server) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

func (s *server) Close() error { return nil }

func (s *server) Seal(status drydock.RunStatus) error {
	s.sealed = status
	return nil
}

func (s *server) Fetch(_ context.Context, r runner.SourceRequest) (*runner.Checkout, error) {
	s.asked = r
	if s.fetch != nil {
		return nil, s.fetch
	}
	c := s.checkout
	return &c, nil
}

func (s *server) RunToken(r drydock.RunRecord, _ time.Duration) (string, error) {
	return "token-of-" + r.Registry.Name() + "-" + r.ID, nil
}

func (s *server) SurveyToken(registry drydock.ResourceID, _ time.Duration) (string, error) {
	return "survey-token-of-" + registry.Name(), nil
}

// Open stands for an opener of what is sealed: here it is turned around.
func (s *server) Open(sealed []byte, purpose string) ([]byte, error) {
	text, ok := strings.CutPrefix(string(sealed), purpose)
	if !ok {
		return nil, errors.New("sealed for something else")
	}
	return []byte(text), nil
}

func (s *server) agent(executor *enginetest.Fake) *runner.Agent {
	return &runner.Agent{
		Executor: executor, Sources: s, Logs: s, Sealed: s, Tokens: s, Now: time.Now,
		LoginServer: func(r drydock.ResourceID) string { return r.Name() + ".azurecr.drydock.test" },
	}
}

func (s *server) PushLog(_ context.Context, r drydock.RunRecord, c drydock.Credential, repository, tag string, ending []byte) (string, error) {
	if c.Password != "token-of-contoso-"+r.ID {
		return "", errors.New("whose token is this?")
	}
	if !strings.Contains(string(ending), "Run ID: "+r.ID) {
		return "", errors.New("the log has no end")
	}
	return "sha256:" + repository + "+" + tag, nil
}

// What strangers wrote gets no rights, and does all else.
func TestAgentDistrusts(t *testing.T) {
	t.Parallel()
	s := &server{checkout: runner.Checkout{Dir: folder(t, "-- Dockerfile --\nFROM scratch\n-- acr-task.yaml --\nsteps:\n- build: -t app .\n- push: [app]\n- cmd: image\n")}}
	request := drydock.RunRequest{
		Kind: drydock.FileTaskRun, TaskFile: "acr-task.yaml", Source: "https://git.example/app.git#c0ffee", SourceToken: "t", SourceRef: "refs/pull/7/head",
		RegistryLogin: true, Untrusted: true,
	}
	fake := &enginetest.Fake{}
	o := s.agent(fake).CarryOut(t.Context(), record(t, request), begin)
	text := s.log.String()
	if o.Status != drydock.RunSucceeded || !strings.Contains(text, "Pushing nothing") || len(decode(t, o).OutputImages) > 0 {
		t.Errorf("%s: %s\n%s", o.Status, o.Result, text)
	}
	if a := s.asked; len(a.Credentials) > 0 || !a.Untrusted || a.Ref != "refs/pull/7/head" || a.Token != "t" {
		t.Errorf("asked for the source as %+v", a)
	}
	request.Kind, request.TaskContent = drydock.EncodedTaskRun, []byte("steps:\n- cmd: image\n  privileged: true\n")
	agent := s.agent(fake)
	agent.Privileged = true
	if o := agent.CarryOut(t.Context(), record(t, request), begin); o.Status != drydock.RunFailed || !strings.Contains(string(o.Result), "privileged") {
		t.Errorf("%s: %s", o.Status, o.Result)
	}
}

func TestAgentTellsOfTheChange(t *testing.T) {
	t.Parallel()
	for branch, want := range map[string]string{
		"dev":          "c0ffee dev  Source",
		"refs/tags/v1": "c0ffee of-the-checkout v1 Source",
	} {
		s := &server{checkout: runner.Checkout{Dir: folder(t, "-- x --\n"), Commit: "another", Branch: "of-the-checkout"}}
		r := record(t, drydock.RunRequest{
			Kind: drydock.EncodedTaskRun, Source: "https://git.example/app.git",
			TaskContent: []byte("steps:\n- cmd: image\n  env: ['FAKE_OUT={{.Run.Commit}} {{.Run.Branch}} {{.Run.GitTag}} {{.Run.TriggeredBy}}']\n"),
		})
		r.Trigger = []byte(`{"sourceTrigger":{"commitId":"c0ffee","branchName":"` + branch + `"}}`)
		o := s.agent(&enginetest.Fake{}).CarryOut(t.Context(), r, begin)
		if o.Status != drydock.RunSucceeded || !strings.Contains(s.log.String(), want) {
			t.Errorf("%s: %s\n%s", branch, o.Status, s.log.String())
		}
	}
}

func TestAgentKeepsTheLogInTheRegistry(t *testing.T) {
	t.Parallel()
	for template, want := range map[string]string{
		"logs/{{.Run.TaskName}}x:{{.Run.ID}}": `"repository":"logs/x","tag":"ca1","digest":"sha256:logs/x+ca1"`,
		"contoso.azurecr.drydock.test/logs":   `"repository":"logs","tag":"ca1"`,
		"LOGS":                                "",
		"{{.Nonsense":                         "",
	} {
		s := &server{}
		a := s.agent(&enginetest.Fake{})
		a.LogArtifacts = s
		o := a.CarryOut(t.Context(), record(t, drydock.RunRequest{
			Kind: drydock.EncodedTaskRun, TaskContent: []byte("steps:\n- cmd: image\n"), LogTemplate: template, RegistryLogin: true,
		}), begin)
		if o.Status != drydock.RunSucceeded || !strings.Contains(string(o.Result), want) {
			t.Errorf("%s: %s %s", template, o.Status, o.Result)
		}
		if warned := strings.Contains(string(o.Ending), "WARNING: keeping the log"); warned != (want == "") {
			t.Errorf("%s:\n%s", template, o.Ending)
		}
	}
}

// record returns a claimed run with a request.
func record(t *testing.T, r drydock.RunRequest) drydock.RunRecord {
	t.Helper()
	public, secrets := r.Split()
	request, err := json.Marshal(public)
	if err != nil {
		t.Fatal(err)
	}
	record := drydock.RunRecord{Registry: contoso, ID: "ca1", Status: drydock.RunStarted, Attempts: 1, Request: request}
	if !secrets.Empty() {
		text, err := json.Marshal(secrets)
		if err != nil {
			t.Fatal(err)
		}
		record.Secrets = append([]byte(drydock.RunSecretsPurpose(contoso)), text...)
	}
	return record
}

func begin(context.Context) error { return nil }

type resultJSON struct {
	OutputImages    []map[string]string
	RunErrorMessage string
	Commit          string
	SourceDigest    string
	LogEnd          string
	Steps           []struct{ ID, Status, Error string }
}

func decode(t *testing.T, o runner.Outcome) resultJSON {
	t.Helper()
	var r resultJSON
	if err := json.Unmarshal(o.Result, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAgentBuildsAndPushes(t *testing.T) {
	t.Parallel()
	s := &server{checkout: runner.Checkout{Dir: folder(t, "-- 0af1_Dockerfile --\nFROM scratch\n"), Commit: "c0ffee", Digest: "sha256:d"}}
	request := drydock.RunRequest{
		Kind: drydock.DockerBuildRun, Source: "source/1.tar.gz", Dockerfile: "0af1_Dockerfile",
		Images: []string{"hello:{{.Run.ID}}"}, Push: true, RegistryLogin: true, Pin: drydock.SourcePin{Commit: "c0ffee"},
	}
	o := s.agent(&enginetest.Fake{}).CarryOut(t.Context(), record(t, request), begin)
	r := decode(t, o)
	if o.Status != drydock.RunSucceeded || r.RunErrorMessage != "" || r.Commit != "c0ffee" || r.SourceDigest != "sha256:d" {
		t.Fatalf("%s: %s\n%s", o.Status, o.Result, s.log.String())
	}
	if len(r.OutputImages) != 1 || !strings.HasPrefix(r.OutputImages[0]["digest"], "sha256:") {
		t.Errorf("output images %v", r.OutputImages)
	}
	want := []drydock.Credential{{
		Registry: "contoso.azurecr.drydock.test",
		Username: "00000000-0000-0000-0000-000000000000", Password: "token-of-contoso-ca1",
	}}
	if d := cmp.Diff(want, s.asked.Credentials); d != "" || s.asked.Source != "source/1.tar.gz" || s.asked.Pin != request.Pin {
		t.Errorf("source asked for (-want +got):\n%s\n%+v", d, s.asked)
	}
	log := s.log.String() + string(o.Ending)
	for line := range strings.Lines(log) {
		if !strings.HasSuffix(line, "\r\n") {
			t.Errorf("line %q", line)
		}
	}
	if !strings.Contains(log, "Run ID: ca1 was successful after") || !strings.Contains(log, "contoso.azurecr.drydock.test/hello:ca1") {
		t.Error(log)
	}
}

func TestAgentDoesNotPushWhatHasNoName(t *testing.T) {
	t.Parallel()
	s := &server{checkout: runner.Checkout{Dir: folder(t, "-- Dockerfile --\nFROM scratch\n")}}
	o := s.agent(&enginetest.Fake{}).CarryOut(t.Context(), record(t, drydock.RunRequest{Kind: drydock.DockerBuildRun, Push: true}), begin)
	if r := decode(t, o); o.Status != drydock.RunSucceeded || len(r.OutputImages) != 0 || len(r.Steps) != 1 {
		t.Errorf("%s: %s", o.Status, o.Result)
	}
}

func TestAgentHidesSecrets(t *testing.T) {
	t.Parallel()
	s := &server{}
	o := s.agent(&enginetest.Fake{}).CarryOut(t.Context(), record(t, drydock.RunRequest{
		Kind:        drydock.EncodedTaskRun,
		TaskContent: []byte("steps:\n- id: say\n  cmd: image\n  env: ['FAKE_OUT={{.Values.plain}} {{.Values.secret}}', FAKE_STATUS=3, 'FAKE_ERR={{.Run.Registry}}']\n"),
		Values:      []drydock.RunValue{{Name: "plain", Value: "seen"}, {Name: "secret", Value: "hush-hush", Secret: true}},
		RunRegistry: "ghcr.io/acme",
	}), begin)
	text := s.log.String()
	if o.Status != drydock.RunFailed || !strings.Contains(text, "seen ***") || strings.Contains(text, "hush-hush") || !strings.Contains(text, "ghcr.io/acme") {
		t.Errorf("%s\n%s", o.Status, text)
	}
	if r := decode(t, o); !strings.Contains(r.RunErrorMessage, "exit status 3") || r.Steps[0].Status != "failed" {
		t.Errorf("%s", o.Result)
	}
}

func TestAgentSaysHowARunEnded(t *testing.T) {
	t.Parallel()
	task := func(env string) drydock.RunRequest {
		return drydock.RunRequest{Kind: drydock.EncodedTaskRun, TaskContent: []byte("steps:\n- cmd: image\n  env: ['" + env + "']\n")}
	}
	slow := task("FAKE_TIME=1h")
	short := slow
	short.Timeout = 50 * time.Millisecond
	for name, tt := range map[string]struct {
		request drydock.RunRequest
		server  *server
		cancel  bool
		status  drydock.RunStatus
		message string
	}{
		"failed":        {request: task("FAKE_STATUS=7"), status: drydock.RunFailed, message: "exit status 7"},
		"timeout":       {request: short, status: drydock.RunTimeout, message: "timed out after 0.05s"},
		"canceled":      {request: slow, cancel: true, status: drydock.RunCanceled, message: "somebody said stop"},
		"no source":     {request: slow, server: &server{fetch: drydock.Errorf(drydock.Invalid, "no branch nope")}, status: drydock.RunFailed, message: "no branch nope"},
		"bad task":      {request: drydock.RunRequest{Kind: drydock.EncodedTaskRun, TaskContent: []byte("steps: 3")}, status: drydock.RunFailed, message: "steps"},
		"empty task":    {request: drydock.RunRequest{Kind: drydock.EncodedTaskRun}, status: drydock.RunFailed, message: "empty"},
		"unknown":       {request: drydock.RunRequest{Kind: "x"}, status: drydock.RunFailed, message: "unknown"},
		"no task file":  {request: drydock.RunRequest{Kind: drydock.FileTaskRun, TaskFile: "x.yaml"}, status: drydock.RunFailed, message: "x.yaml"},
		"no identities": {request: drydock.RunRequest{Kind: drydock.DockerBuildRun, Credentials: []drydock.RunCredential{{Registry: "x.io", Identity: "[system]"}}}, status: drydock.RunFailed, message: "x.io"},
		"internal":      {request: slow, server: &server{fetch: errors.New("a bug")}, status: drydock.RunError, message: "a bug"},
		"no log":        {request: slow, server: &server{openErr: errors.New("disk full")}, status: drydock.RunError, message: "disk full"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tt.server
			if s == nil {
				s = &server{}
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if tt.cancel {
				time.AfterFunc(20*time.Millisecond, func() { cancel(errors.New("somebody said stop")) })
			}
			o := s.agent(&enginetest.Fake{}).CarryOut(ctx, record(t, tt.request), begin)
			r := decode(t, o)
			if o.Status != tt.status || !strings.Contains(r.RunErrorMessage, tt.message) {
				t.Errorf("%s: %q", o.Status, r.RunErrorMessage)
			}
			if o.Log != nil && (!strings.Contains(string(o.Ending), "Run ID: ca1 ") || r.LogEnd != string(o.Ending)) {
				t.Errorf("the log ends with %q, the result has %q", o.Ending, r.LogEnd)
			}
			if strings.Contains(s.log.String(), "Run ID:") {
				t.Errorf("the log says how the run ended before that is stored: %q", s.log.String())
			}
		})
	}
}
