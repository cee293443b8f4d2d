package cli_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli"
)

// client runs the client against a site, as its signed-in admin.
type client struct {
	t    *testing.T
	site *site
	env  []string
}

func newClient(t *testing.T, s *site) *client {
	t.Helper()
	c := &client{t: t, site: s, env: []string{"DRYDOCK_CONFIG_DIR=" + t.TempDir(), "DRYDOCK_CA_FILE=" + writeTemp(t, s.ca)}}
	c.must("login", "--endpoint", "https://"+s.host("management"), "--service-principal", "-u", s.Admin.AppID, "-p", s.Admin.Secret, "--tenant", s.Tenant)
	c.must("group", "create", "-n", "demo", "-l", "x")
	c.must("acr", "create", "-n", "contoso", "-g", "demo", "--sku", "Basic")
	return c
}

func (c *client) run(ctx context.Context, stdout, stderr io.Writer, args ...string) int {
	return cli.Run(ctx, cli.Surroundings{
		Name: "drydock", Version: "test", Stdin: strings.NewReader(""), Stdout: stdout, Stderr: stderr, Environ: c.env,
		Now: time.Now, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}, args)
}

func (c *client) must(args ...string) string {
	c.t.Helper()
	var out, problems bytes.Buffer
	if status := c.run(c.t.Context(), &out, &problems, args...); status != 0 {
		c.t.Fatalf("%v: exit status %d: %s", args, status, problems.String())
	}
	return out.String()
}

// signalWriter tells when a text has come.
type signalWriter struct {
	mu    sync.Mutex
	text  strings.Builder
	wants string
	seen  chan struct{}
}

func (w *signalWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	had := strings.Contains(w.text.String(), w.wants)
	w.text.Write(p)
	if !had && strings.Contains(w.text.String(), w.wants) {
		close(w.seen)
	}
	return len(p), nil
}

func (w *signalWriter) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// TestLogIsLive reads a log whose stream is cut in the middle: lines are there
// while the run goes on, and each of them once.
func TestLogIsLive(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.ending = ending{}
	c := newClient(t, s)
	next := make(chan string)
	var asked []string
	s.blobs.stream = func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query().Get("offset"))
		control := http.NewResponseController(w)
		control.Flush()
		for text := range next {
			if text == "cut" {
				panic(http.ErrAbortHandler)
			}
			io.WriteString(w, text)
			control.Flush()
		}
		w.Header().Set(http.TrailerPrefix+"x-ms-meta-Complete", "successful")
		w.Header().Set(http.TrailerPrefix+"x-ms-sealed", "true")
	}
	out := &signalWriter{wants: "one\n", seen: make(chan struct{})}
	var problems bytes.Buffer
	status := make(chan int)
	go func() {
		status <- c.run(t.Context(), out, &problems, "acr", "build", "-r", "contoso", "-t", "a", "https://git.example/a.git")
	}()
	next <- "one\r\n"
	<-out.seen // while the run goes on
	next <- "tw"
	next <- "cut"
	next <- "o\r\nthree"
	if _, err := s.Queue.End(t.Context(), s.Scope("demo", "registries", "contoso"), "ca1", drydock.RunSucceeded, ""); err != nil {
		t.Fatal(err)
	}
	close(next)
	if got := <-status; got != 0 {
		t.Fatalf("exit status %d: %s", got, problems.String())
	}
	if want := "one\ntwo\nthree\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	if strings.Join(asked, " ") != "0 7" {
		t.Errorf("asked for %v", asked)
	}
}

// TestInterrupt stops waiting for a run, which goes on.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.ending = ending{}
	c := newClient(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	s.blobs.stream = func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).Flush()
		cancel()
		<-r.Context().Done()
	}
	var out, problems bytes.Buffer
	if got := c.run(ctx, &out, &problems, "acr", "run", "-r", "contoso", "--cmd", "x", "/dev/null"); got != 130 {
		t.Errorf("exit status %d", got)
	}
	if want := "The run ca1 goes on. Its log: drydock acr task logs -r contoso --run-id ca1."; !strings.Contains(problems.String(), want) {
		t.Errorf("it says only %q", problems.String())
	}
	if got := c.must("acr", "task", "show-run", "-r", "contoso", "--run-id", "ca1", "--query", "status", "-o", "tsv"); got != "Queued\n" {
		t.Errorf("the run is %s", got)
	}
}

// Who loses the server is told how to see the run again, and no link that lets
// others in.
func TestServerIsLost(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.ending = ending{}
	c := newClient(t, s)
	s.blobs.stream = func(w http.ResponseWriter, _ *http.Request) {
		http.NewResponseController(w).Flush()
		s.lost.Store(true)
		panic(http.ErrAbortHandler)
	}
	var out, problems bytes.Buffer
	if got := c.run(t.Context(), &out, &problems, "acr", "run", "-r", "contoso", "--cmd", "x", "/dev/null"); got != 1 {
		t.Errorf("exit status %d", got)
	}
	said := problems.String()
	if !strings.Contains(said, "the server was lost while following the run ca1") || !strings.Contains(said, "drydock acr task logs -r contoso --run-id ca1") ||
		!strings.Contains(said, "blob") || strings.Contains(said, "sig=") || strings.Contains(said, "?") {
		t.Errorf("it says %q", said)
	}
}

// TestUploadInParts sends a source that is too large for one request.
func TestUploadInParts(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	c := newClient(t, s)
	dir := t.TempDir()
	noise := make([]byte, 20<<20)
	fillNoise(noise)
	for name, text := range map[string][]byte{"Dockerfile": []byte("FROM scratch\n"), "noise": noise} {
		writeFileIn(t, dir, name, text)
	}
	c.must("acr", "build", "-r", "contoso", "-t", "a", dir)
	if got := untar(t, s.blobs.upload())["noise"]; !bytes.Equal(got, noise) {
		t.Errorf("%d bytes came", len(got))
	}
	s.blobs.mu.Lock()
	defer s.blobs.mu.Unlock()
	if len(s.blobs.blocks) < 2 {
		t.Errorf("it came in %d blocks", len(s.blobs.blocks))
	}
}

// TestDebugTellsNoSecrets looks for secrets in what --debug shows.
func TestDebugTellsNoSecrets(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	c := newClient(t, s)
	dir := t.TempDir()
	writeFileIn(t, dir, "Dockerfile", []byte("FROM scratch\n"))
	var out, shown bytes.Buffer
	if got := c.run(t.Context(), &out, &shown, "acr", "build", "-r", "contoso", "--secret-build-arg", "A=hidden-value", "--debug", dir); got != 0 {
		t.Fatalf("exit status %d: %s", got, shown.String())
	}
	if !strings.Contains(shown.String(), "/scheduleRun?api-version=2019-06-01-preview: 200 OK") {
		t.Errorf("it shows no requests: %s", shown.String())
	}
	for _, secret := range []string{s.Admin.Secret, "hidden-value", "sig=", "Bearer"} {
		if strings.Contains(shown.String(), secret) {
			t.Errorf("%q is in %s", secret, shown.String())
		}
	}
}

// TestTokensAreKept signs in once for many commands.
func TestTokensAreKept(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	c := newClient(t, s)
	before := s.signIns.Load()
	for range 3 {
		c.must("acr", "list")
	}
	if after := s.signIns.Load(); after != before {
		t.Errorf("%d more requests for tokens", after-before)
	}
}
