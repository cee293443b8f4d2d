package runner_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/enginetest"
	"github.com/drydockhq/drydock/internal/runner"
)

// surveyor takes each FROM line for what it says, the last for the runtime base.
type surveyor struct {
	*enginetest.Fake
	creds []drydock.Credential
}

var _ engine.Surveyor = (*surveyor)(nil)

func (*surveyor) Bases(_ context.Context, dockerfile []byte, b engine.Build) ([]drydock.BaseImage, error) {
	var bases []drydock.BaseImage
	for line := range strings.Lines(string(dockerfile)) {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), "FROM ")
		if !ok {
			return nil, errors.New("no Dockerfile")
		}
		for _, arg := range b.Flags.Args {
			name = strings.ReplaceAll(name, "$"+arg.Name, arg.Value)
		}
		image, err := drydock.ParseImageName(name)
		if err != nil {
			return nil, err
		}
		bases = append(bases, drydock.BaseImage{Image: image, Kind: drydock.BuildTimeBase})
	}
	bases[len(bases)-1].Kind = drydock.RuntimeBase
	return bases, nil
}

func (s *surveyor) Digest(_ context.Context, image drydock.ImageName, creds []drydock.Credential) (string, error) {
	s.creds = creds
	if image.Tag == "none" {
		return "", drydock.Errorf(drydock.NotFound, "there is no image %s", image)
	}
	return "digest of " + image.Familiar(), nil
}

const surveyedTask = `steps:
- build: -t $Registry/middle:1 -f sub/Dockerfile.middle .
- id: product
  build: -t $Registry/product:{{.Run.ID}} -t $Registry/product:latest --build-arg TAG={{.Values.tag}} .
- id: elsewhere
  build: https://git.example/other.git
- build: -f missing/Dockerfile .
- cmd: bash echo
- push:
  - $Registry/middle:1
  - $Registry/product:{{.Run.ID}}
  - $Registry/product:latest
  - $Registry/dated:{{.Run.Date}}
`

const surveyedFiles = `
-- sub/Dockerfile.middle --
FROM busybox
FROM quay.io/tools/go:none
FROM own.azurecr.test/base:2
-- Dockerfile --
FROM busybox
FROM contoso.azurecr.drydock.test/middle:1
FROM node:$TAG
`

func TestSurvey(t *testing.T) {
	t.Parallel()
	s := &server{checkout: runner.Checkout{Dir: folder(t, surveyedFiles)}}
	executor := &surveyor{Fake: &enginetest.Fake{}}
	agent := s.agent(executor.Fake)
	agent.Executor = executor
	request := drydock.RunRequest{
		Kind: drydock.EncodedTaskRun, TaskContent: []byte("version: v1.1.0\n" + surveyedTask), RegistryLogin: true,
		Values:      []drydock.RunValue{{Name: "tag", Value: "15-alpine"}},
		Credentials: []drydock.RunCredential{{Registry: "quay.io", Username: drydock.SecretValue{Value: "u"}, Password: drydock.SecretValue{Value: "hush"}}},
	}
	got, err := agent.Survey(t.Context(), record(t, request), func(image drydock.ImageName) bool {
		return strings.HasPrefix(image.Registry, "own.")
	})
	if err != nil {
		t.Fatal(err)
	}
	var bases, outputs []string
	for _, b := range got.Bases {
		bases = append(bases, string(b.Kind)+" "+b.Image.Familiar()+" "+b.Digest+string(drydock.CodeOf(b.Err)))
	}
	for _, image := range got.Outputs {
		outputs = append(outputs, image.Familiar())
	}
	want := []string{
		"BuildTime busybox:latest digest of busybox:latest",
		"Runtime node:15-alpine digest of node:15-alpine",
		"Runtime own.azurecr.test/base:2 ",
		"BuildTime quay.io/tools/go:none not-found",
	}
	if d := cmp.Diff(want, bases); d != "" {
		t.Errorf("the bases (-want +got):\n%s", d)
	}
	want = []string{"contoso.azurecr.drydock.test/middle:1", "contoso.azurecr.drydock.test/product:latest"}
	if d := cmp.Diff(want, outputs); d != "" {
		t.Errorf("the outputs (-want +got):\n%s", d)
	}
	unknown := strings.Join(got.Unknown, "\n")
	if len(got.Unknown) != 2 || !strings.Contains(unknown, "elsewhere") || !strings.Contains(unknown, "missing/Dockerfile") {
		t.Errorf("unknown is %q", unknown)
	}
	if c := executor.creds; len(c) != 2 || c[0].Password != "hush" || c[1].Password != "survey-token-of-contoso" {
		t.Errorf("asked with %v", executor.creds)
	}
	if opened, _ := executor.Sessions(); opened != 0 {
		t.Error("something was carried out")
	}
}

func TestSurveyFails(t *testing.T) {
	t.Parallel()
	none := func(drydock.ImageName) bool { return true }
	s := &server{checkout: runner.Checkout{Dir: folder(t, surveyedFiles)}}
	agent := s.agent(&enginetest.Fake{})
	build := record(t, drydock.RunRequest{Kind: drydock.DockerBuildRun, Dockerfile: "Dockerfile", SourceToken: "hush"})
	if _, err := agent.Survey(t.Context(), build, none); drydock.CodeOf(err) != drydock.Unavailable {
		t.Errorf("an executor that can't: %v", err)
	}
	agent.Executor = &surveyor{}
	s.fetch = errors.New("the token hush is wrong")
	if _, err := agent.Survey(t.Context(), build, none); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("a source that can't be fetched: %v", err)
	}
}

// A run that fails says what it was to be built from, one that succeeds what it
// was.
func TestDeclaredBases(t *testing.T) {
	t.Parallel()
	for _, fails := range []bool{false, true} {
		s := &server{checkout: runner.Checkout{Dir: folder(t, surveyedFiles)}}
		executor := &surveyor{Fake: &enginetest.Fake{Programs: map[string]enginetest.Program{
			"status": func(context.Context, *enginetest.Process) (int, error) {
				if fails {
					return 1, nil
				}
				return 0, nil
			},
		}}}
		agent := s.agent(executor.Fake)
		agent.Executor = executor
		o := agent.CarryOut(t.Context(), record(t, drydock.RunRequest{
			Kind: drydock.EncodedTaskRun, TaskContent: []byte("steps:\n- cmd: status\n- build: -f sub/Dockerfile.middle .\n"),
		}), begin)
		var result struct {
			DeclaredBases *struct {
				Images   []struct{ Image, Kind string }
				Complete bool
			}
		}
		if err := json.Unmarshal(o.Result, &result); err != nil {
			t.Fatal(err)
		}
		d := result.DeclaredBases
		if (d != nil) != fails {
			t.Errorf("a run that ended as %s declares %+v", o.Status, d)
		}
		if d != nil && (!d.Complete || len(d.Images) != 3 || !slices.ContainsFunc(d.Images, func(i struct{ Image, Kind string }) bool {
			return i.Image == "own.azurecr.test/base:2" && i.Kind == "Runtime"
		})) {
			t.Errorf("declared is %+v", d)
		}
	}
}
