package credentials

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	helpers "github.com/docker/docker-credential-helpers/credentials"

	"github.com/drydockhq/drydock"
)

const (
	helperPrefix  = "docker-credential-"
	helperTimeout = time.Minute // one may ask a cloud for a token, or a user for a PIN
	helperOutput  = 1 << 20     // bytes
	tokenUser     = "<token>"   // user name by which a helper gives an identity token
)

// helperRunner runs credential helpers.
type helperRunner struct {
	env []string
	as  *account // nil for the user of this process
}

// get asks a helper for the credential of a server.
func (r helperRunner) get(ctx context.Context, helper, server string) (Credential, bool, error) {
	program := helperPrefix + helper
	path, err := r.find(program)
	if err != nil {
		return Credential{}, false, drydock.Errorf(drydock.Unavailable, "looking for the credential helper of %s: %w", server, err).
			WithHint("install it, or take it out of credsStore or credHelpers in the Docker configuration")
	}
	out, err := r.run(ctx, path, server)
	if helpers.IsErrCredentialsNotFoundMessage(strings.TrimSpace(out)) {
		return Credential{}, false, nil
	}
	if err != nil {
		return Credential{}, false, drydock.Errorf(drydock.Unavailable, "asking %s for the credential of %s: %w", program, server, err)
	}
	var answer helpers.Credentials
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		return Credential{}, false, drydock.Errorf(drydock.Unavailable, "asking %s for the credential of %s: its answer %s", program, server, jsonProblem(err))
	}
	if answer.Username == "" && answer.Secret == "" {
		return Credential{}, false, nil
	}
	if answer.Username == tokenUser {
		answer.Username = ""
	}
	return Credential{Username: answer.Username, Secret: answer.Secret, From: program}, true, nil
}

// find looks a helper up in the PATH of the environment that it will have.
func (r helperRunner) find(program string) (string, error) {
	if strings.ContainsAny(program, `/\`) {
		return "", errors.New("a helper is a name, not a path")
	}
	for _, dir := range filepath.SplitList(getenv(r.env, "PATH")) {
		path := filepath.Join(dir, program)
		info, err := os.Stat(path)
		if filepath.IsAbs(path) && err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", &fs.PathError{Op: "find", Path: program, Err: errors.New("not found in PATH")}
}

// run runs `HELPER get` and returns what it printed. Its output is no part of
// the error: what it holds is not known.
func (r helperRunner) run(ctx context.Context, path, server string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, helperTimeout, errors.New("no answer within a minute"))
	defer cancel()
	var out limited
	cmd := exec.CommandContext(ctx, path, helpers.ActionGet)
	cmd.Env, cmd.Dir, cmd.Stdin, cmd.Stdout = r.env, "/", strings.NewReader(server), &out
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if r.as != nil {
		cmd.SysProcAttr.Credential = r.as.credential
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err := cmd.Run()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return out.buf.String(), err
}

// limited keeps what is written to it, and refuses too much.
type limited struct{ buf bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.buf.Len()+len(p) > helperOutput {
		return 0, errors.New("the answer is too long")
	}
	return l.buf.Write(p)
}
