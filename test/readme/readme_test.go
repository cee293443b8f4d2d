// Package readme_test does what README.md says, with a registry of its own.
package readme_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/gotool"
	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
)

// fence matches a code block: its language, its file name if any, its text.
var fence = regexp.MustCompile("(?ms)^```(\\w+)(?: (\\S+))?\n(.*?)^```$")

func TestReadme(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Fatal("containers need root: run the tests with `make test`")
	}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	hub, local := registry.Start(t, registry.Options{}), registry.Start(t, registry.Options{})
	if err := images.Push(t.Context(), hub.Host, images.Busybox+"=library/"+images.Busybox); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := install(t, hub)
	var output strings.Builder
	for _, block := range fence.FindAllStringSubmatch(string(text), -1) {
		language, name, body := block[1], block[2], strings.ReplaceAll(block[3], "localhost:5000", local.Host)
		switch {
		case name != "":
			if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o644); err != nil {
				t.Fatal(err)
			}
		case language == "sh":
			output.WriteString(runScript(t, path, dir, body))
		default:
			t.Errorf("a block of %s without a file name", language)
		}
	}
	checkOutput(t, output.String())
	tags, err := local.Tags("hello")
	if err != nil || len(tags) != 2 {
		t.Errorf("the registry has the tags %q of hello, %v; want one for each push", tags, err)
	}
}

// checkOutput looks for what the README promises.
func checkOutput(t *testing.T, output string) {
	t.Helper()
	for want, times := range map[string]int{
		"\nhello from a container\n":            1,
		"\nhi from ":                            1,
		"[DRY RUN] cmd: busybox echo hi from ":  1,
		"- cmd: busybox echo hi from ":          1,
		"pulled from docker.io/library/busybox": 1, // in the cache
		"\nRemoved: ":                           1,
	} {
		if got := strings.Count(output, want); got < times {
			t.Errorf("the output has %q %d times, want %d", want, got, times)
		}
	}
	lines := strings.Split(strings.TrimSpace(output), "\n")
	var last struct{ Result struct{ Status string } }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Result.Status != "Succeeded" {
		t.Errorf("the last line is %q, want a result that succeeded", lines[len(lines)-1])
	}
	if t.Failed() {
		t.Log(output)
	}
}

// install returns a PATH with a drydockd that finds Docker Hub at hub, and
// keeps its caches in a folder of the test.
func install(t *testing.T, hub *registry.Registry) string {
	t.Helper()
	bin, data := t.TempDir(), t.TempDir()
	program, err := gotool.Drydockd(t.Context(), "../..", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf(`#!/bin/sh
command=$1
shift
case $command in
exec | build) set -- --mirror docker.io=%s --data %s "$@" ;;
du | prune) set -- --data %[2]s "$@" ;;
esac
exec %s "$command" "$@"
`, hub.URL, data, program)
	if err := os.WriteFile(filepath.Join(bin, "drydockd"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return bin + ":" + os.Getenv("PATH")
}

// runScript runs a block of commands and returns what they wrote to standard
// output.
func runScript(t *testing.T, path, dir, script string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+path)
	out, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		t.Fatalf("%s: %v\n%s%s", script, err, out, exit.Stderr)
	case err != nil:
		t.Fatalf("%s: %v", script, err)
	case len(strings.TrimSpace(string(out))) == 0:
		t.Errorf("%s: no output", script)
	}
	return string(out)
}
