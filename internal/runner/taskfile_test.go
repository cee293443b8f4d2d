package runner_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/runner"
)

// cmdOf plans a task file and returns the cmd of its first step.
func cmdOf(t *testing.T, c *runner.Checkout, task *runner.TaskFile) (string, error) {
	t.Helper()
	p, err := task.Plan(t.Context(), c, drydock.RunFacts{})
	if err != nil {
		return "", err
	}
	return p.Steps[0].Cmd, nil
}

func TestTaskFileDefaultNames(t *testing.T) {
	t.Parallel()
	const acb, acr = "-- acb.yaml --\nsteps:\n- cmd: acb\n", "-- acr-task.yaml --\nsteps:\n- cmd: acr\n"
	for archive, want := range map[string]string{acb: "acb", acr: "acr", acb + acr: "acb"} {
		got, err := cmdOf(t, &runner.Checkout{Dir: folder(t, archive)}, &runner.TaskFile{})
		if err != nil || got != want {
			t.Errorf("the task file says %q, %v; want %q", got, err, want)
		}
	}
}

// A fetched source can't make the run read files of the machine; the user's own
// folder may be named from anywhere.
func TestTaskFileStaysInTheSource(t *testing.T) {
	t.Parallel()
	dir := folder(t, "-- outside.yaml --\nsteps:\n- cmd: outside\n-- source/x --\n")
	source := filepath.Join(dir, "source")
	if err := os.Symlink("../outside.yaml", filepath.Join(source, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link.yaml", "../outside.yaml", filepath.Join(dir, "outside.yaml")} {
		got, err := cmdOf(t, &runner.Checkout{Dir: source}, &runner.TaskFile{Name: name})
		if drydock.CodeOf(err) != drydock.Invalid {
			t.Errorf("%s of a fetched source: %q, %v; want it refused", name, got, err)
		}
		got, err = cmdOf(t, &runner.Checkout{Dir: source, Local: true}, &runner.TaskFile{Name: name})
		if err != nil || got != "outside" {
			t.Errorf("%s of a folder: %q, %v", name, got, err)
		}
	}
}

// Reading a named pipe would wait for somebody to write to it.
func TestTaskFileIsAPipe(t *testing.T) {
	t.Parallel()
	dir := folder(t, "-- x --\n")
	if err := syscall.Mkfifo(filepath.Join(dir, "acb.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := cmdOf(t, &runner.Checkout{Dir: dir, Local: true}, &runner.TaskFile{})
	if want := "reading acb.yaml: not a regular file"; err == nil || err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

func TestTaskFileIsAFolder(t *testing.T) {
	t.Parallel()
	_, err := cmdOf(t, &runner.Checkout{Dir: folder(t, "-- acb.yaml/x --\n"), Local: true}, &runner.TaskFile{})
	if want := "reading acb.yaml: is a directory"; err == nil || err.Error() != want {
		t.Errorf("error is %v, want %q", err, want)
	}
}

func TestTaskFileIsTooLarge(t *testing.T) {
	t.Parallel()
	dir := folder(t, "-- acb.yaml --\nsteps:\n- cmd: x\n# "+strings.Repeat("x", runner.MaxFile)+"\n")
	_, err := cmdOf(t, &runner.Checkout{Dir: dir}, &runner.TaskFile{})
	if err == nil || !strings.Contains(err.Error(), "reading acb.yaml: the file is larger than 1 MiB") {
		t.Errorf("error is %v", err)
	}
}

func TestRunWithoutSource(t *testing.T) {
	t.Parallel()
	got, err := cmdOf(t, &runner.Checkout{}, &runner.TaskFile{Content: []byte("steps:\n- cmd: image\n")})
	if err != nil || got != "image" {
		t.Errorf("the task says %q, %v", got, err)
	}
	_, err = cmdOf(t, &runner.Checkout{}, &runner.TaskFile{})
	if err == nil || !strings.Contains(err.Error(), "there is no task file in the source") {
		t.Errorf("error is %v", err)
	}
}

const aliased = `version: v1.1.0
alias:
  src: [%s]
steps:
- cmd: image $who
`

func TestAliasFiles(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/names.yaml" {
			http.Error(w, "who: error page", http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte("who: server\n"))
	}))
	t.Cleanup(server.Close)
	dir := folder(t, `
-- outside.yaml --
who: outside
-- source/top.yaml --
who: top
-- source/both.yaml --
who: top
-- source/tasks/both.yaml --
who: tasks
-- source/tasks/near.yaml --
who: near
`)
	if err := os.Symlink("../../outside.yaml", filepath.Join(dir, "source/tasks/link.yaml")); err != nil {
		t.Fatal(err)
	}
	for src, want := range map[string]string{
		"near.yaml":                           "image near",
		"./near.yaml":                         "image near",
		"both.yaml":                           "image tasks",
		"../both.yaml":                        "image top",
		"top.yaml":                            "image top",
		"tasks/near.yaml":                     "image near",
		server.URL + "/names.yaml":            "image server",
		server.URL + "/none.yaml":             "error: reading " + server.URL + "/none.yaml: the server says 404 Not Found",
		"http://u:pw@127.0.0.1:1/x":           "error: reading http://u:xxxxx@127.0.0.1:1/x: ",
		"none.yaml":                           "error: reading none.yaml: ",
		"link.yaml":                           "error: reading link.yaml: ",
		"../../outside.yaml":                  "error: reading ../../outside.yaml: ",
		filepath.Join(dir, "outside.yaml"):    "error: reading " + filepath.Join(dir, "outside.yaml"),
		"file://" + dir + "/outside.yaml":     "error: reading file://" + dir + "/outside.yaml",
		filepath.Join(dir, "source", "tasks"): "error: reading ",
	} {
		t.Run(src, func(t *testing.T) {
			t.Parallel()
			task := strings.ReplaceAll(aliased, "%s", `"`+src+`"`)
			own := filepath.Join(dir, "source", "tasks", strings.Map(letters, src)+".task")
			if err := os.WriteFile(own, []byte(task), 0o644); err != nil {
				t.Fatal(err)
			}
			for _, local := range []bool{true, false} {
				c := &runner.Checkout{Dir: filepath.Join(dir, "source"), Local: local}
				got, err := cmdOf(t, c, &runner.TaskFile{Name: "tasks/" + filepath.Base(own)})
				if err != nil {
					got = "error: " + err.Error()
				}
				if want, isError := strings.CutPrefix(want, "error: "); isError {
					if !strings.Contains(got, want) {
						t.Errorf("local %t: %q lacks %q", local, got, want)
					}
				} else if got != want {
					t.Errorf("local %t: %q, want %q", local, got, want)
				}
			}
		})
	}
}

// letters keeps what may be in a file name.
func letters(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	return '_'
}

func TestAliasDownloadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	task := &runner.TaskFile{Content: []byte(strings.ReplaceAll(aliased, "%s", server.URL))}
	_, err := task.Plan(ctx, &runner.Checkout{}, drydock.RunFacts{})
	if err == nil || !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("error is %v", err)
	}
}
