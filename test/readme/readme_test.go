// Package readme_test does what README.md says: its commands run one after the
// other on a machine with a configuration of its own, and what it shows of their
// output has to be there.
package readme_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock/test/serve"
)

// fence matches a code block: its language, its file name if any, its text.
var fence = regexp.MustCompile("(?ms)^```(\\w+)(?: (\\S+))?\n(.*?)^```$")

// reader is somebody who does what the README says.
type reader struct {
	*bench
	t      *testing.T
	output string // of the last block
	block  string // the last that was run
	all    strings.Builder
	server *serve.Server
}

func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{bench: newBench(t), t: t}
	for _, block := range fence.FindAllStringSubmatch(string(text), -1) {
		language, name, body := block[1], block[2], block[3]
		switch {
		case name != "":
			r.file(name, body)
		case language == "text":
			r.expect(body)
		case language != "sh":
			t.Errorf("a block of %s without a file name", language)
		case strings.HasPrefix(body, serveCommand):
			r.serve(strings.Fields(body[len(serveCommand):]))
		default:
			r.run(body)
		}
	}
	r.check()
}

// file writes a file that the README has, or compares it with the repository's.
func (r *reader) file(name, body string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if text, err := os.ReadFile(path); err == nil {
		if string(text) != body {
			r.t.Errorf("%s is not as the README has it", name)
		}
		return
	}
	if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

const serveCommand = "sudo drydockd serve "

// serve starts the server, and then runs the lines that it prints.
func (r *reader) serve(flags []string) {
	r.t.Helper()
	r.server = serve.Start(r.t, serve.Options{
		Program: r.drydockd, Machine: r.machine,
		Args: append(flags, "--registries-mirrors=docker.io="+r.hub.URL),
	})
	_, next, ok := strings.Cut(r.server.Output(), "\nNext:\n")
	if !ok {
		r.t.Fatalf("the server does not say what is next:\n%s", r.server.Output())
	}
	r.run(next)
	r.output = next
}

// run runs a block of commands. Where the README has the ports and folders of
// a user's machine, the test has others.
func (r *reader) run(script string) {
	r.t.Helper()
	cmd := r.machine.Command(r.t.Context(), "bash", "-euo", "pipefail", "-c", r.here(script))
	cmd.Dir, cmd.Env = r.dir, r.env
	out, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		r.t.Fatalf("%s: %v\n%s%s", script, err, out, exit.Stderr)
	case err != nil:
		r.t.Fatalf("%s: %v", script, err)
	}
	r.output, r.block = string(out), script
	r.all.WriteString(r.output)
}

// looks matches a command that changes nothing: who does not see yet what the
// README shows calls it again.
var looks = regexp.MustCompile(`^drydock acr task (list-runs|why) [^\n]*\n$`)

// here puts the places of the test for those of the README.
func (r *reader) here(text string) string {
	text = strings.ReplaceAll(text, "localhost:5000", r.local.Host)
	text = strings.ReplaceAll(text, "https://github.com/drydockhq/drydock.git", r.repository)
	if r.server == nil || strings.Contains(text, "drydock.test:") {
		return text
	}
	text = strings.ReplaceAll(text, "/var/lib/drydock", r.server.Data)
	return regexp.MustCompile(`drydock\.test\b`).ReplaceAllString(text, "drydock.test:"+r.server.Port)
}

// expect looks for lines in the output of the last block, in their order. The
// ellipsis is any text.
func (r *reader) expect(lines string) {
	r.t.Helper()
	missing := r.missing(lines)
	for deadline := time.Now().Add(time.Minute); missing != "" && looks.MatchString(r.block) && time.Now().Before(deadline); missing = r.missing(lines) {
		time.Sleep(100 * time.Millisecond)
		r.run(r.block)
	}
	if missing != "" {
		r.t.Fatalf("no line\n%s\nin\n%s", missing, r.output)
	}
}

// missing returns the first line that the output of the last block does not have
// in its place; empty for none.
func (r *reader) missing(lines string) string {
	rest := r.output
	for line := range strings.Lines(r.here(lines)) {
		form := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSuffix(line, "\n")), "…", ".*")
		found := regexp.MustCompile("(?m)^" + form + "$").FindStringIndex(rest)
		if found == nil {
			return line
		}
		rest = rest[found[1]:]
	}
	return ""
}

// check looks for what the README promises without showing it.
func (r *reader) check() {
	r.t.Helper()
	all := r.all.String()
	for want, times := range map[string]int{
		"\nhello from a container\n":            3, // run, task and exec
		"\nhi from ":                            1,
		"[DRY RUN] cmd: busybox echo hi from ":  1,
		"- cmd: busybox echo hi from ":          1,
		"pulled from docker.io/library/busybox": 1, // in the cache
		"\nRemoved: ":                           1,
	} {
		if got := strings.Count(all, want); got < times {
			r.t.Errorf("the output has %q %d times, want %d", want, got, times)
		}
	}
	if !strings.Contains(all, "\n"+`{"result":`) {
		r.t.Error("no result is in JSON")
	}
	for line := range strings.Lines(all) {
		var last struct{ Result struct{ Status string } }
		if strings.HasPrefix(line, `{"result":`) && (json.Unmarshal([]byte(line), &last) != nil || last.Result.Status != "Succeeded") {
			r.t.Errorf("the result is %s", line)
		}
	}
	tags, err := r.local.Tags("hello")
	if err != nil || len(tags) != 2 {
		r.t.Errorf("the registry has the tags %q of hello, %v; want one for each push", tags, err)
	}
	if r.t.Failed() || testing.Verbose() {
		r.t.Log(all)
	}
}
