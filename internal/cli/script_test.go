package cli_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli"
)

var update = flag.Bool("update", false, "write what comes out into the scripts")

type siteKey struct{}

// TestScripts runs the client, in this process, as the scripts of testdata say.
// Each has a site of its own. Beside the commands of testscript there are
// drydock and az, and those below.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"), UpdateScripts: *update, RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			s := startSite(env.T().(testing.TB))
			env.Values[siteKey{}] = s
			env.Setenv("ENDPOINT", "https://"+s.host("management"))
			env.Setenv("SUFFIX", s.host("azurecr"))
			env.Setenv("ID", s.Admin.AppID)
			env.Setenv("SECRET", s.Admin.Secret)
			env.Setenv("TENANT", s.Tenant)
			env.Setenv("SUBSCRIPTION", s.Subscription)
			env.Setenv("DRYDOCK_CONFIG_DIR", filepath.Join(env.WorkDir, "config"))
			env.Setenv("DOCKER_CONFIG", filepath.Join(env.WorkDir, "docker"))
			return os.WriteFile(filepath.Join(env.WorkDir, "ca.pem"), s.ca, 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"drydock": program("drydock"),
			"az":      program("az"),
			"login":   login,
			"signin":  signIn,
			"types":   types,
			"runs":    runs,
			"ends":    ends,
			"blobs":   setBlobs,
			"request": request,
			"sent":    sent,
			"changed": changed,
			"status":  status,
			"write":   writeFile,
			"builds":  builds,
			"pushed":  pushed,
			"held":    held,
		},
	})
}

func siteOf(ts *testscript.TestScript) *site { return ts.Value(siteKey{}).(*site) }

// program runs the client. "!" in front of it is any failure; the exit status
// itself is shown by "status".
func program(name string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		code := runProgram(ts, name, args)
		if (code != 0) != neg {
			ts.Fatalf("exit status %d", code)
		}
	}
}

func runProgram(ts *testscript.TestScript, name string, args []string) int {
	environ := []string{"NO_COLOR=1"}
	for _, key := range []string{"DRYDOCK_CONFIG_DIR", "DOCKER_CONFIG", "DRYDOCK_CA_FILE", "AZURE_CLOUD_NAME", "VALUE"} {
		if value := ts.Getenv(key); value != "" {
			environ = append(environ, key+"="+value)
		}
	}
	// The client is in this process, whose folder is another one.
	for i, arg := range args {
		if before, file, ok := strings.Cut(arg, "./"); ok && (before == "" || before == "@") {
			args[i] = before + ts.MkAbs(file)
		}
	}
	stdin := bytes.NewReader(nil)
	if text, err := os.ReadFile(ts.MkAbs("stdin.txt")); err == nil {
		stdin = bytes.NewReader(text)
	}
	return cli.Run(context.Background(), cli.Surroundings{
		Name: name, Version: "v1.2.3", Stdin: stdin, Stdout: ts.Stdout(), Stderr: ts.Stderr(),
		Environ: environ, Now: time.Now, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}, args)
}

// status CODE drydock ARGS... expects an exit status.
func status(ts *testscript.TestScript, _ bool, args []string) {
	if code := runProgram(ts, args[1], args[2:]); fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit status %d", code)
	}
}

// login signs the admin in, and makes the group "demo" with the registry
// "contoso".
func login(ts *testscript.TestScript, _ bool, _ []string) {
	s := siteOf(ts)
	for _, line := range [][]string{
		{"login", "--endpoint", "https://" + s.host("management"), "--ca-file", "./ca.pem", "--service-principal", "-u", s.Admin.AppID, "-p", s.Admin.Secret, "--tenant", s.Tenant, "-o", "none"},
		{"group", "create", "-n", "demo", "-l", "westeurope", "-o", "none"},
		{"acr", "create", "-n", "contoso", "-g", "demo", "--sku", "Basic", "-o", "none"},
	} {
		if code := runProgram(ts, "drydock", line); code != 0 {
			ts.Fatalf("drydock %s: exit status %d", line[0], code)
		}
	}
}

// types NAME PASSWORD has somebody enter these, and the code, in a browser when
// the next code is shown.
func types(ts *testscript.TestScript, _ bool, args []string) {
	siteOf(ts).typist.Store(&[2]string{args[0], args[1]})
}

// signin FILE signs in as the service principal whose client id and secret are
// the lines of a file. The client id is then in the file "reader".
func signIn(ts *testscript.TestScript, _ bool, args []string) {
	s := siteOf(ts)
	lines := strings.Fields(ts.ReadFile(args[0]))
	if len(lines) != 2 {
		ts.Fatalf("%s has %d words", args[0], len(lines))
	}
	ts.Check(os.WriteFile(ts.MkAbs("reader"), []byte(lines[0]), 0o600))
	if code := runProgram(ts, "drydock", []string{"login", "--service-principal", "-u", lines[0], "-p", lines[1], "--tenant", s.Tenant, "-o", "none"}); code != 0 {
		ts.Fatalf("signing in: exit status %d", code)
	}
}

// runs FILE makes runs of contoso from a list in JSON, the oldest first.
func runs(ts *testscript.TestScript, _ bool, args []string) {
	s := siteOf(ts)
	var list []struct {
		Status            drydock.RunStatus
		Task              string
		Trigger, Result   json.RawMessage
		Started, Finished time.Time
	}
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0])), &list); err != nil {
		ts.Fatalf("%v", err)
	}
	registry := s.Scope("demo", "registries", "contoso")
	for _, item := range list {
		r, err := s.Store.CreateRun(context.Background(), drydock.RunRecord{
			Registry: registry, Task: item.Task, Trigger: item.Trigger, Created: item.Started, Updated: item.Started,
			Type: drydock.QuickRun, Request: []byte(`{"Platform": "Linux/amd64"}`),
		})
		if err == nil {
			_, err = s.Store.UpdateRun(context.Background(), registry, r.ID, func(r *drydock.RunRecord) error {
				r.Status, r.Started, r.Finished, r.Result = item.Status, item.Started, item.Finished, item.Result
				return nil
			})
		}
		if err != nil {
			ts.Fatalf("%v", err)
		}
	}
}

// ends STATUS [LOG [RESULT]] sets how runs end from now on.
func ends(ts *testscript.TestScript, _ bool, args []string) {
	e := ending{status: drydock.RunStatus(args[0])}
	if e.status == "never" {
		e.status = ""
	}
	if len(args) > 1 {
		e.log = strings.ReplaceAll(ts.ReadFile(args[1]), "\n", "\r\n")
	}
	if len(args) > 2 {
		e.result = ts.ReadFile(args[2])
	}
	s := siteOf(ts)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ending = e
}

// blobs follow|late sets how logs are served.
func setBlobs(ts *testscript.TestScript, _ bool, args []string) {
	b := siteOf(ts).blobs
	b.mu.Lock()
	defer b.mu.Unlock()
	b.follows = args[0] == "follow"
	if args[0] == "late" {
		b.late = 10
	}
}

// request shows what the newest run was asked for with.
func request(ts *testscript.TestScript, _ bool, _ []string) {
	var v any
	if err := json.Unmarshal([]byte(siteOf(ts).lastRequest()), &v); err != nil {
		ts.Fatalf("%v", err)
	}
	text, err := json.MarshalIndent(v, "", "  ")
	ts.Check(err)
	fmt.Fprintln(ts.Stdout(), string(text))
}

// sent lists the files of the source that was uploaded.
func sent(ts *testscript.TestScript, _ bool, _ []string) {
	z, err := gzip.NewReader(bytes.NewReader(siteOf(ts).blobs.upload()))
	ts.Check(err)
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		ts.Check(err)
		fmt.Fprintln(ts.Stdout(), h.Name)
	}
}

// changed shows what a registry was asked to change.
func changed(ts *testscript.TestScript, _ bool, _ []string) {
	fmt.Fprintln(ts.Stdout(), siteOf(ts).repos.taken())
}

// write FILE TEXT... writes a file.
func writeFile(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(args[1:], " ")), 0o600))
}
