package walkthrough

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/drydockhq/drydock/test/serve"
)

// Options say how the walkthrough is played.
type Options struct {
	Program  string                   // drydockd; built here if empty
	Az       string                   // the Azure CLI; drydockd under its name if empty
	Examples string                   // folder of the three repositories
	Git      func(t serve.TB) GitHost // where these are
	Args     []string                 // flags of the server
	Out      io.Writer                // gets what the script prints; nil drops it
	Pictures string                   // folder for pictures of the page; none are taken if empty
}

// Stage is a server in a cloud of its own, and what is around it.
type Stage struct {
	Server *serve.Server
	Client *serve.Client // drydock, which has nothing to do with the script's

	t      serve.TB
	o      Options
	hub    *Hub
	git    GitHost
	trees  map[string]*tree
	env    []string // of the script
	bundle string   // of certificates
}

// The repositories.
const (
	baseImage  = "base-image-node"
	gate       = "import-baseimage-node"
	helloWorld = "hello-world"
)

// Set sets a stage, which goes with the test: all is there, and az has signed in.
func Set(t serve.TB, o Options) *Stage {
	t.Helper()
	s := &Stage{t: t, o: o, hub: newHub(t), git: o.Git(t), trees: map[string]*tree{}}
	for _, name := range []string{baseImage, gate, helloWorld} {
		s.trees[name] = newTree(t, s.git, name, filepath.Join(o.Examples, name))
	}
	s.Server = serve.Start(t, serve.Options{Program: o.Program, Domain: serve.LocalDomain, Args: append([]string{"--proxy=127.0.0.1:0"}, o.Args...)})
	s.Client = s.Server.Client(serve.Client{})
	s.bundle = filepath.Join(s.Server.Data, "certs", "clients.pem")
	s.environ()
	for _, args := range [][]string{
		{"cloud", "set", "-n", "AzureChinaCloud"},
		{"login", "--service-principal", "-u", s.Server.ClientID, "-p", s.Server.Secret, "--tenant", s.Server.Tenant, "-o", "none"},
	} {
		if out, err := s.command(t.Context(), "az", args...).CombinedOutput(); err != nil {
			t.Fatal("az ", args[0], ": ", err, "\n", string(out))
		}
	}
	return s
}

var proxyForm = regexp.MustCompile(`"proxy":"([^"]+)"`)

// environ makes the environment of the script, which is that of somebody who has
// followed docs/azure.md.
func (s *Stage) environ() {
	s.t.Helper()
	found := proxyForm.FindStringSubmatch(s.Server.Log())
	if found == nil {
		s.t.Fatal("the server has no proxy")
	}
	bin, home, az := s.t.TempDir(), s.t.TempDir(), s.o.Az
	if az == "" {
		if az = s.o.Program; az == "" {
			az = serve.Program(s.t)
		}
	}
	if err := os.Symlink(az, filepath.Join(bin, "az")); err != nil {
		s.t.Fatal(err)
	}
	proxy := "http://" + found[1]
	s.env = []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + os.TempDir(),
		"HTTPS_PROXY=" + proxy, "HTTP_PROXY=" + proxy, "NO_PROXY=", "REQUESTS_CA_BUNDLE=" + s.bundle, "SSL_CERT_FILE=" + s.bundle,
		"AZURE_CONFIG_DIR=" + home, "DRYDOCK_CONFIG_DIR=" + home, "DOCKER_CONFIG=" + home,
		"AZURE_CORE_COLLECT_TELEMETRY=no", "AZURE_CORE_SURVEY_MESSAGE=no", "AZURE_CORE_NO_COLOR=true", "AZURE_CORE_ERROR_RECOMMENDATION=off",
		"AZURE_EXTENSION_USE_DYNAMIC_INSTALL=no", "AZURE_CORE_DISABLE_PROGRESS_BAR=true", "AZURE_CORE_LOGIN_EXPERIENCE_V2=off",
		"REGISTRY_DOCKERHUB_URL=" + s.hub.Host, "REGISTRY_DOCKERHUB_USER=" + s.hub.User, "REGISTRY_DOCKERHUB_PASSWORD=" + s.hub.Password,
		"GIT_TOKEN=" + s.git.Token(),
	}
	for name, repository := range map[string]string{
		"GIT_BASE_IMAGE_NODE": baseImage, "GIT_NODE_IMPORT": gate, "GIT_HELLO_WORLD": helloWorld,
	} {
		s.env = append(s.env, name+"="+s.trees[repository].url+"#main")
	}
}

// command is a program with the environment of the script.
func (s *Stage) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	if program == "az" {
		for _, e := range s.env {
			if path, ok := strings.CutPrefix(e, "PATH="); ok {
				dir, _, _ := strings.Cut(path, ":")
				program = filepath.Join(dir, "az")
			}
		}
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = s.env
	return cmd
}

// ask runs drydock, which is not the script's.
func (s *Stage) ask(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, s.Client.Program, args...)
	var problems bytes.Buffer
	cmd.Env, cmd.Stderr = s.Client.Env, &problems
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, problems.String())
	}
	return string(out), err
}

// Begin makes the repositories what they were before anybody has changed them, with
// the files of a folder over those of the examples.
func (s *Stage) Begin(variation string) error {
	for name, tree := range s.trees {
		folders := []string{filepath.Join(s.o.Examples, name)}
		if own := filepath.Join(variation, name); variation != "" && isFolder(own) {
			folders = append(folders, own)
		}
		if err := tree.fill(folders...); err != nil {
			return err
		}
	}
	return nil
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// Gone waits until all groups are deleted, and checks that the page is gone.
func (s *Stage) Gone(ctx context.Context, page string) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		groups, err := s.ask(ctx, "group", "list", "--query", "[].name", "-o", "tsv")
		if err != nil {
			return err
		}
		if strings.TrimSpace(groups) == "" {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the groups %q are still there", strings.Fields(groups))
		}
	}
	// The address may lead elsewhere now.
	if text, err := serve.Page(ctx, page); err == nil && strings.Contains(text, "<h1>") {
		return fmt.Errorf("the page is still there:\n%s", text)
	}
	return nil
}

// Script is how a script is played.
type Script struct {
	Path     string
	Env      []string // more of it
	Commands int      // how many there are, with those of the person; 0 for any number
	Page     bool     // it makes the page, which is watched all the time
}

// Played is what came of it.
type Played struct {
	Output string   // of both kinds
	Codes  []string // a line for each command, as "rc=0  az group create"
}

// Play plays a script to its end, and tells what came of it. The person does what
// the script asks for.
func (s *Stage) Play(ctx context.Context, script Script, p *Person) (*Played, error) {
	program, done, err := p.listen(ctx)
	if err != nil {
		return nil, err
	}
	log := filepath.Join(s.t.TempDir(), "walk.log")
	cmd := s.command(ctx, "bash", script.Path)
	out := &transcript{to: s.o.Out}
	cmd.Env = append(append(cmd.Env, "PERSON="+program, "WALKLOG="+log), script.Env...)
	cmd.Stdout, cmd.Stderr = out, out
	watched := p.watching(ctx, script.Page)
	runErr := cmd.Run()
	watched()
	err = errors.Join(done(), p.problem())
	if runErr != nil {
		err = errors.Join(fmt.Errorf("%s: %w", filepath.Base(script.Path), runErr), err)
	}
	text, readErr := os.ReadFile(log)
	played := &Played{Output: out.String(), Codes: strings.Split(strings.TrimSpace(string(text)), "\n")}
	if script.Commands > 0 && len(played.Codes) != script.Commands && err == nil {
		err = fmt.Errorf("the script had %d commands, not %d", len(played.Codes), script.Commands)
	}
	return played, errors.Join(err, readErr, played.failed())
}

// failed names the commands that failed.
func (p *Played) failed() error {
	var errs []error
	for _, line := range p.Codes {
		if line != "" && !strings.HasPrefix(line, "rc=0 ") {
			errs = append(errs, errors.New(line))
		}
	}
	return errors.Join(errs...)
}

// transcript keeps what is printed, and passes it on.
type transcript struct {
	to io.Writer

	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (w *transcript) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.b.Write(p)
	if w.to != nil {
		return w.to.Write(p)
	}
	return len(p), nil
}

// String returns what was written.
func (w *transcript) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}
