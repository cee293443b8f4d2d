package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/source/egress"
)

// askpass answers git's questions for a user name and a password from its
// environment, and only for the origin that they are for.
const askpass = `#!/bin/sh
case "$1" in
"Username for '$DRYDOCK_GIT_ORIGIN'"* | "Username for '$DRYDOCK_GIT_ORIGIN/"*) printf '%s\n' "$DRYDOCK_GIT_USERNAME" ;;
"Password for '$DRYDOCK_GIT_ASKED'"* | "Password for '$DRYDOCK_GIT_ASKED/"*) printf '%s\n' "$DRYDOCK_GIT_PASSWORD" ;;
*) exit 1 ;;
esac
`

// passed are the variables that git is given of the fetcher's environment.
var passed = []string{
	"PATH", "TMPDIR", "SSH_AUTH_SOCK", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
}

// gitRunner runs git in one repository.
type gitRunner struct {
	program string
	dir     string // of the work tree
	env     []string
	secrets []string            // taken out of messages
	as      *syscall.Credential // nil for the user of this process
	in      *egress.Enclosure   // nil for none
}

// close ends what git runs in.
func (r *gitRunner) close() error {
	if r.in == nil {
		return nil
	}
	return r.in.Close()
}

// newGit prepares git for a remote: an environment of its own, in which it asks
// nobody, reads nobody's configuration, runs no hooks and gives credentials to
// the remote's own host alone.
func (f *Fetcher) newGit(ctx context.Context, g *gitURL, dir string) (*gitRunner, error) {
	program, err := f.program("git")
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "fetching a git repository: %w", err).WithHint("make setup installs it")
	}
	home := filepath.Join(filepath.Dir(dir), "home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "making a home for git: %w", err)
	}
	r := &gitRunner{program: program, dir: dir}
	if f.Enclose != nil {
		if r.in, err = f.Enclose(ctx); err != nil {
			return nil, err
		}
		r.openLoopback(g)
	}
	config, err := f.gitConfig(home)
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	r.env = append(f.gitEnv(home, r.in), config...)
	protocols := "https:http:ssh"
	if r.in == nil {
		protocols += ":git" // which asks no proxy
	}
	if strings.HasPrefix(g.remote, "file:") {
		protocols += ":file" // also for submodules; else those could read this machine's
	}
	r.env = append(r.env, "GIT_ALLOW_PROTOCOL="+protocols)
	if err := f.addCredential(ctx, r, g, home); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// gitEnv returns the environment of git but for configuration and credentials.
func (f *Fetcher) gitEnv(home string, in *egress.Enclosure) []string {
	env := []string{
		"HOME=" + home, "XDG_CONFIG_HOME=" + home, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1",
		"GIT_TERMINAL_PROMPT=0", "GCM_INTERACTIVE=never", "GIT_ASKPASS=", "SSH_ASKPASS=", "LC_ALL=C", "GIT_LFS_SKIP_SMUDGE=1",
	}
	for _, name := range passed {
		if name == "GIT_SSL_CAINFO" && len(f.CAs) > 0 {
			continue // it would be stronger than the configuration
		}
		if v := f.env(name); v != "" && (in == nil || !strings.HasSuffix(strings.ToUpper(name), "_PROXY")) {
			env = append(env, name+"="+v)
		}
	}
	ssh := f.env("GIT_SSH_COMMAND")
	if ssh == "" {
		ssh = "ssh -o BatchMode=yes"
	}
	if in != nil {
		env = append(env, in.Environ()...)
		ssh = egress.SSHCommand(ssh, f.Connect)
	}
	if ca := f.env("SSL_CERT_FILE"); ca != "" && f.env("GIT_SSL_CAINFO") == "" && len(f.CAs) == 0 {
		env = append(env, "GIT_SSL_CAINFO="+ca)
	}
	return append(env, "GIT_SSH_COMMAND="+ssh)
}

// addCredential lets git log in: by what is in the URL, or by a token. It goes
// through the environment; command lines are for all to see.
func (f *Fetcher) addCredential(ctx context.Context, r *gitRunner, g *gitURL, home string) error {
	if g.origin == "" {
		return nil
	}
	username, password := g.username, g.password
	if password == "" && f.Token != nil {
		user, token, err := f.Token(ctx, g.host)
		if err != nil {
			return fmt.Errorf("looking for a token for %s: %w", g.host, err)
		}
		if token != "" {
			username, password = user, token
		}
	}
	if password == "" && username != "" { // as in https://TOKEN@host/…
		username, password = "", username
	}
	if password == "" {
		return nil
	}
	if username == "" {
		username = "token" // hosts take any, but it can't be empty
	}
	script := filepath.Join(home, "askpass")
	if err := os.WriteFile(script, []byte(askpass), 0o700); err != nil {
		return drydock.Errorf(drydock.Unavailable, "making a home for git: %w", err)
	}
	// git escapes the user in its question, all but letters, digits and -_.~
	user := strings.ReplaceAll(url.QueryEscape(username), "+", "%20")
	asked := strings.Replace(g.origin, "://", "://"+user+"@", 1)
	r.secrets = append(r.secrets, password, url.QueryEscape(password), url.PathEscape(password))
	r.env = append(r.env, "GIT_ASKPASS="+script, "DRYDOCK_GIT_ORIGIN="+g.origin, "DRYDOCK_GIT_ASKED="+asked,
		"DRYDOCK_GIT_USERNAME="+username, "DRYDOCK_GIT_PASSWORD="+password)
	return nil
}

// forgetCredentials leaves git without any: the token, and the keys of an agent.
func (r *gitRunner) forgetCredentials() {
	r.env = slices.DeleteFunc(r.env, func(v string) bool {
		return strings.HasPrefix(v, "GIT_ASKPASS=") || strings.HasPrefix(v, "DRYDOCK_GIT_") ||
			strings.HasPrefix(v, "SSH_AUTH_SOCK=") || strings.HasPrefix(v, "GIT_SSH_COMMAND=")
	})
	r.env = append(r.env, "GIT_ASKPASS=", "GIT_SSH_COMMAND=ssh -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityFile=/dev/null")
}

// run runs git and returns what it printed.
func (r *gitRunner) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, r.program, args...)
	cmd.Dir, cmd.Env = r.dir, r.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: r.as} // git starts helpers, which end with it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 2 * time.Second
	var out strings.Builder
	var problems tail
	cmd.Stdout, cmd.Stderr = &out, &problems
	err := r.carryOut(cmd)
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err != nil && r.in != nil && r.in.Refused() != nil {
		return "", r.in.Refused()
	}
	if err != nil {
		return "", &gitError{command: args[0], text: r.withReason(r.clean(problems.String())), err: err}
	}
	return strings.TrimSpace(out.String()), nil
}

// withReason adds to git's message why the proxy of the enclosure, of which it
// knows only a status, could not reach a host.
func (r *gitRunner) withReason(text string) string {
	if r.in == nil || r.in.Failed() == nil || !strings.Contains(text, strconv.Itoa(http.StatusBadGateway)) {
		return text
	}
	return text + ": " + r.in.Failed().Error()
}

func (r *gitRunner) carryOut(cmd *exec.Cmd) error {
	if r.in == nil {
		return cmd.Run()
	}
	if err := r.in.Start(cmd); err != nil {
		return err
	}
	return cmd.Wait()
}

// userInfo is the user part of a URL in a text.
var userInfo = regexp.MustCompile(`://[^/@\s']+@`)

// clean returns the lines of git's messages that say what is wrong, without
// secrets.
func (r *gitRunner) clean(text string) string {
	for _, s := range r.secrets {
		text = strings.ReplaceAll(text, s, "***")
	}
	text = userInfo.ReplaceAllString(text, "://***@")
	lines := strings.Split(strings.ReplaceAll(text, "\r", ""), "\n")
	for _, l := range lines {
		if _, why, ok := strings.Cut(l, egress.ConnectDoing); ok {
			return egress.ConnectDoing + why // what ssh says then is that it was cut off
		}
	}
	telling := slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !tells(l) })
	if len(telling) > 0 {
		lines = telling
	}
	return strings.Join(lines[max(0, len(lines)-4):], "; ")
}

// tells reports whether a line of git, or of the ssh that it runs, says what is
// wrong.
func tells(line string) bool {
	starts := func(begin string) bool { return strings.HasPrefix(line, begin) }
	holds := func(part string) bool { return strings.Contains(line, part) }
	return slices.ContainsFunc([]string{"fatal: ", "error: ", "remote: ", "ssh: ", "kex_exchange_identification: "}, starts) ||
		slices.ContainsFunc([]string{
			"Permission denied", "verification failed", "IDENTIFICATION HAS CHANGED", "Connection closed by", "Connection reset by",
			"ssh: not found",
		}, holds)
}

// gitError is a git command that failed.
type gitError struct {
	command string
	text    string // what git said
	err     error
}

func (e *gitError) Error() string {
	if e.text == "" {
		return fmt.Sprintf("git %s: %v", e.command, e.err)
	}
	return fmt.Sprintf("git %s: %s", e.command, e.text)
}

func (e *gitError) Unwrap() error { return e.err }

// said reports whether git's message holds one of some texts.
func said(err error, texts ...string) bool {
	var g *gitError
	return errors.As(err, &g) && slices.ContainsFunc(texts, func(t string) bool {
		return strings.Contains(strings.ToLower(g.text), strings.ToLower(t))
	})
}

// explain turns a failure of git into an error for users.
func explain(doing string, err error) error {
	var g *gitError
	if !errors.As(err, &g) {
		return err
	}
	e := drydock.Errorf(drydock.Unavailable, "%s: %w", doing, err)
	for _, p := range gitProblems {
		if said(err, p.texts...) {
			e.Code = p.code
			return e.WithHint("%s", p.hint)
		}
	}
	return e
}

// gitProblems are what git and ssh say of common failures; the first that is said
// counts.
var gitProblems = []struct {
	code  drydock.Code
	hint  string
	texts []string
}{
	{
		drydock.Unavailable, "ssh is not installed where git runs",
		[]string{"ssh: No such file", "ssh: not found"},
	},
	{
		drydock.Unavailable, "is the name of the host right, and does the DNS of the machine that fetches know it?",
		[]string{"Could not resolve host", "no such host", "Temporary failure in name resolution"},
	},
	{
		drydock.Denied, "the host has another key than known_hosts says: make sure that it is the right host, then remove the old key with ssh-keygen -R HOST",
		[]string{"IDENTIFICATION HAS CHANGED"},
	},
	{
		drydock.Denied, "ssh does not know the host: add what ssh-keyscan HOST prints to /etc/ssh/ssh_known_hosts, or to ~/.ssh/known_hosts of the user that git runs as",
		[]string{"Host key verification failed"},
	},
	{
		drydock.Denied, "ssh has no key that the host takes: put one into ~/.ssh of the user that git runs as, or into the agent of $SSH_AUTH_SOCK; an https URL needs a token instead",
		[]string{"Permission denied (", "Too many authentication failures"},
	},
	{
		drydock.Denied, "a private repository needs a token or, with ssh, a key in the agent",
		[]string{
			"Authentication failed", "could not read Username", "could not read Password", "returned error: 401", "returned error: 403", "Permission denied",
		},
	},
	{
		drydock.Denied, "the repository belongs to another user",
		[]string{"dubious ownership"},
	},
	{
		drydock.Invalid, "is the URL right? A private repository needs a token",
		[]string{"not found", "does not appear to be a git repository", "returned error: 404"},
	},
	{
		drydock.Denied, "submodules may use https, http, ssh and git",
		[]string{"transport '", "not allowed"},
	},
	{
		drydock.Unavailable, "does the host answer there? ssh://USER@HOST:PORT/PATH names another port",
		[]string{"ssh: connect to host", "kex_exchange_identification", egress.ConnectDoing},
	},
}
