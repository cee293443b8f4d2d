package serve_test

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock/test/gitea"
	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
	"github.com/drydockhq/drydock/test/serve"
)

// BenchmarkChain pushes a commit to a git host and waits for the last push of
// three images that are built on one another; and pushes another one, and builds
// the same three by hand, one `acr build` after the other.
func BenchmarkChain(b *testing.B) {
	l := newLinks(b)
	for i, name := range chainImages() {
		flags := []string{"-t", name + ":1", "-f", "Dockerfile"}
		if i == 0 {
			flags = append(flags, "--git-access-token", l.token)
		}
		l.task("chained", name, "main:"+name, flags...)
	}
	l.chain() // the caches are filled, and the tasks have run
	l.byHand()
	var chain, hand, link, more, wait, first []time.Duration
	for b.Loop() {
		c, h := l.chain(), l.byHand()
		chain, hand = append(chain, c.took), append(hand, h.took)
		link = append(link, (c.took-h.took)/time.Duration(len(c.runs)))
		more = append(more, (c.took-h.worked())/time.Duration(len(c.runs)))
		first = append(first, c.runs[0].StartTime.Sub(c.pushed))
		for i, r := range c.runs[1:] {
			wait = append(wait, r.StartTime.Sub(c.runs[i].FinishTime))
		}
	}
	b.ReportMetric(0, "ns/op")
	report(b, chain, "ms-chain")
	report(b, hand, "ms-by-hand")
	report(b, link, "ms-more-a-link")
	report(b, more, "ms-more-than-runs-alone-a-link")
	report(b, first, "ms-from-git-push-to-run")
	report(b, wait, "ms-from-run-to-run")
}

// BenchmarkFirstStep measures how long it takes from an event, as the server has
// noted it, until the container of the first step of its run says something.
func BenchmarkFirstStep(b *testing.B) {
	l := newLinks(b)
	l.drydock("acr", "build", "-r", "chained", "-t", "one:1", "--build-arg", "VERSION=1", l.url+"#main:base")
	l.drydock("acr", "build", "-r", "chained", "-t", "two:1", "--build-arg", "VERSION=2", l.url+"#main:base")
	move := func(to string) {
		l.drydock("acr", "import", "-n", "chained", "-r", "chained", "--source", to+":1", "-t", "base:1", "--force")
	}
	move("one")
	l.task("chained", "first", "main", "-f", "first.yaml", "--git-access-token", l.token)
	l.push("main")
	l.ended("chained", 3) // the two builds, and the first run of the task
	var runs, commit, image []time.Duration
	next := func(steps []time.Duration) []time.Duration {
		r := l.ended("chained", 1)[0]
		runs = append(runs, r.StartTime.Sub(r.Cause.Time))
		return append(steps, l.firstStep(r))
	}
	for b.Loop() {
		l.push("main")
		commit = next(commit)
		move("two")
		image = next(image)
		move("one")
		image = next(image)
	}
	b.ReportMetric(0, "ns/op")
	report(b, runs, "ms-from-event-to-run")
	report(b, commit, "ms-from-commit-to-step")
	report(b, image, "ms-from-base-image-to-step")
}

// report reports the median.
func report(b *testing.B, all []time.Duration, unit string) {
	slices.Sort(all)
	b.Logf("%s: %v", unit, all)
	b.ReportMetric(float64(all[len(all)/2].Milliseconds()), unit)
}

// chainImages are built on one another, in their order.
func chainImages() []string { return []string{"base", "middle", "app"} }

// links is a server with two registries, and a repository at a git host.
type links struct {
	*testing.B
	server *serve.Server
	clone  *gitea.Clone
	url    string // of the repository
	token  string
	home   string         // of the client
	runs   map[string]int // that were waited for, by registry
}

func newLinks(b *testing.B) *links {
	b.Helper()
	hub := registry.Start(b, registry.Options{})
	if err := images.Push(b.Context(), hub.Host, images.Busybox+"=library/busybox", images.Bash+"=library/bash"); err != nil {
		b.Fatal(err)
	}
	ann := gitea.Start(b).User("ann")
	l := &links{B: b, url: ann.Repository("links", false), token: ann.Token("drydock", "write:repository"), home: b.TempDir(), runs: map[string]int{}}
	l.clone = ann.Clone(l.url, b.TempDir())
	for name, text := range map[string]string{
		"base/Dockerfile":   "FROM busybox\nARG VERSION\nCOPY . /base\nRUN echo base $VERSION > /said\n",
		"middle/Dockerfile": "ARG REGISTRY\nFROM $REGISTRY/base:1\nRUN echo middle >> /said\n",
		"app/Dockerfile":    "ARG REGISTRY\nFROM $REGISTRY/middle:1\nRUN echo app >> /said\n",
		"first.yaml":        "version: v1.1.0\nsteps:\n- cmd: docker.io/library/bash bash -c 'echo at $EPOCHREALTIME'\n- build: --build-arg REGISTRY=$Registry -t $Registry/middle:1 middle\n",
	} {
		l.clone.Commit(name, text)
	}
	for _, branch := range []string{"hand", "main"} {
		l.clone.Git("checkout", "--quiet", "-B", branch)
		l.clone.Git("push", "--quiet", "origin", branch)
	}
	l.server = serve.Start(b, serve.Options{Args: []string{"--domain", serve.LocalDomain, "--registries-mirrors=docker.io=" + hub.URL}})
	l.signIn()
	l.drydock("group", "create", "-n", "bench", "-l", "local")
	for _, name := range []string{"chained", "byhand"} {
		l.drydock("acr", "create", "-g", "bench", "-n", name, "--sku", "Basic")
	}
	return l
}

func (l *links) signIn() {
	l.Helper()
	ca := filepath.Join(l.home, "ca.pem")
	if err := os.WriteFile(ca, l.server.CA, 0o600); err != nil {
		l.Fatal(err)
	}
	if err := os.Symlink(serve.Program(l), filepath.Join(l.home, "drydock")); err != nil {
		l.Fatal(err)
	}
	l.drydock("login", "--endpoint", "https://management."+serve.LocalDomain+":"+l.server.Port, "--ca-file", ca,
		"--service-principal", "-u", l.server.ClientID, "-p", l.server.Secret, "--tenant", l.server.Tenant)
}

// drydock runs the client and returns what it printed.
func (l *links) drydock(args ...string) string {
	l.Helper()
	cmd := exec.CommandContext(l.Context(), filepath.Join(l.home, "drydock"), args...)
	cmd.Env = append(os.Environ(), "DRYDOCK_CONFIG_DIR="+l.home, "DOCKER_CONFIG="+l.home)
	out, err := printed(cmd)
	if err != nil {
		l.Fatalf("drydock %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (l *links) login(registry string) string {
	return registry + ".azurecr." + serve.LocalDomain + ":" + l.server.Port
}

// task makes a task of a branch, and a folder if there is one.
func (l *links) task(registry, name, place string, flags ...string) {
	l.Helper()
	l.drydock(append([]string{
		"acr", "task", "create", "-r", registry, "-n", name, "-c", l.url + "#" + place, "--arg", "REGISTRY=" + l.login(registry),
	}, flags...)...)
}

// push pushes a commit.
func (l *links) push(branch string) {
	l.Helper()
	l.clone.Git("checkout", "--quiet", branch)
	l.clone.Commit("base/version", rand.Text())
	l.clone.Git("push", "--quiet", "origin", branch)
}

// run is a run as the client lists it.
type run struct {
	RunID, Status                     string
	CreateTime, StartTime, FinishTime time.Time
	Cause                             struct{ Time time.Time }
}

// ended waits until n more runs of a registry have ended, and returns them, the
// oldest first. To ask for them all the time would take from their time.
func (l *links) ended(registry string, n int) []run {
	l.Helper()
	l.runs[registry] += n
	line := regexp.MustCompile(`"msg":"run ended","registry":"` + registry + `"`)
	for deadline := time.Now().Add(patience); len(line.FindAllString(l.server.Log(), -1)) < l.runs[registry]; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			l.Fatalf("in %s no %d runs of %s have ended", patience, l.runs[registry], registry)
		}
	}
	var runs []run
	if err := json.Unmarshal([]byte(l.drydock("acr", "task", "list-runs", "-r", registry, "--top", strconv.Itoa(n))), &runs); err != nil {
		l.Fatal(err)
	}
	for _, r := range runs {
		if r.Status != "Succeeded" {
			l.Fatalf("run %s: %s", r.RunID, r.Status)
		}
	}
	slices.Reverse(runs)
	return runs
}

// round is what came of one commit.
type round struct {
	took   time.Duration // until the last run had ended
	pushed time.Time     // when git had ended
	runs   []run
}

// worked returns how long the runs took, without what was between them.
func (r round) worked() time.Duration {
	var all time.Duration
	for _, run := range r.runs {
		all += run.FinishTime.Sub(run.StartTime)
	}
	return all
}

func (l *links) chain() round {
	l.Helper()
	begun := time.Now()
	l.push("main")
	r := round{pushed: time.Now(), runs: l.ended("chained", 3)}
	r.took = r.runs[2].FinishTime.Sub(begun)
	return r
}

func (l *links) byHand() round {
	l.Helper()
	begun := time.Now()
	l.push("hand")
	r := round{pushed: time.Now()}
	for _, name := range chainImages() {
		l.drydock("acr", "build", "-r", "byhand", "-t", name+":1", "--build-arg", "REGISTRY="+l.login("byhand"), l.url+"#hand:"+name)
	}
	r.runs = l.ended("byhand", 3)
	r.took = r.runs[2].FinishTime.Sub(begun)
	return r
}

var clock = regexp.MustCompile(`(?m)^at (\d+)\.(\d{6})\r?$`)

// firstStep returns how long after its event the first step of a run spoke.
func (l *links) firstStep(r run) time.Duration {
	l.Helper()
	text := l.drydock("acr", "task", "logs", "-r", "chained", "--run-id", r.RunID)
	m := clock.FindStringSubmatch(text)
	if m == nil || r.Cause.Time.IsZero() {
		l.Fatalf("run %s has no cause, or its log no clock:\n%s", r.RunID, text)
	}
	micros, err := strconv.ParseInt(m[1]+m[2], 10, 64)
	if err != nil {
		l.Fatal(err)
	}
	return time.UnixMicro(micros).Sub(r.Cause.Time)
}
