package main

import (
	"strings"
	"testing"

	"github.com/drydockhq/drydock/internal/engine/enginetest"
)

const app = `
-- Dockerfile --
FROM localhost:5000/base
-- values.yaml --
stage: final
`

func TestBuild(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.executor.Registry = enginetest.NewRegistry("localhost:5000/base")
	b.expect(t, statusOK, []string{
		"Executing step ID: build. Timeout(sec): 28800,",
		"Executing step ID: push. Timeout(sec): 3600,",
		`"reference":"r.example/app:ca4"`,
		"Run ID: ca4 was successful after",
	}, nil, "build", "-r", "r.example", "-t", "app:{{.Run.ID}}", "--push", folder(t, app))
	if b.executor.Registry.Tries("r.example/app:ca4") != 1 {
		t.Error("the image was not pushed")
	}
}

func TestBuildWithoutPush(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.executor.Registry = enginetest.NewRegistry("localhost:5000/base")
	b.expect(t, statusOK, []string{"Step ID: build marked as successful"}, nil, "build", "-t", "r.example/app", folder(t, app))
	if strings.Contains(b.stdout.String(), "push") {
		t.Error("there was a push")
	}
}

func TestBuildArguments(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.expect(t, statusOK, []string{
		`build: --label 'a=b c' -f 'my file' -t r.example/app -t other.example/app --build-arg 'x=$HOME "1"' ` +
			`--secret-build-arg pin=*** --target final --platform linux/arm64,linux/amd64 --pull --no-cache .` + "\n",
	}, nil, "build", "--dry-run", "-r", "r.example", "-t", "app", "-t", "other.example/app",
		"--credential", `{"registry":"other.example","username":"u","userNameProviderType":"opaque","password":"hunter2","passwordProviderType":"opaque"}`,
		"--label", "a=b c", "-f", "my file", "--build-arg", `x=$HOME "1"`, "--secret-build-arg", "pin=9753186420",
		"--values", "values.yaml", "--target", "{{.Values.stage}}", "--platform", "linux/arm64,linux/amd64", "--pull", "--no-cache",
		folder(t, app))
}

func TestBuildDebug(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.executor.Registry = enginetest.NewRegistry("localhost:5000/base")
	b.expect(t, statusOK, []string{"Rendered task:\nbuild: -t app --secret-build-arg pin=*** .\n"}, nil,
		"build", "--debug", "-t", "app", "--secret-build-arg", "pin=9753186420", folder(t, app))
}
