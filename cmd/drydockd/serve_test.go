package main

import (
	"context"
	"database/sql"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/blobs"
	"github.com/drydockhq/drydock/internal/config"
	"github.com/drydockhq/drydock/internal/runner"
)

// newDaemon returns a server in this process, on a fake executor and a folder of
// its own. It is not serving yet.
func newDaemon(t *testing.T, flags map[string][]string) *daemon {
	t.Helper()
	all := map[string][]string{"data": {filepath.Join(t.TempDir(), "data")}, "listen": {"127.0.0.1:0"}}
	for name, values := range flags {
		all[name] = values
	}
	c, _, err := config.Load(config.Sources{Flags: all})
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	b.now = time.Now
	d, err := b.openDaemon(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	d.hostsFile = filepath.Join(t.TempDir(), "hosts")
	return d
}

// serving serves until the test ends, or until what it returns is called.
func (d *daemon) serving(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- d.serve(ctx) }()
	stopped := false
	stop = func() {
		cancel()
		if !stopped {
			stopped = true
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(stop)
	for !d.health.ready.Load() {
		time.Sleep(time.Millisecond)
	}
	return stop
}

// registry makes a registry and returns its id.
func (d *daemon) registry(t *testing.T, name string) drydock.ResourceID {
	t.Helper()
	group := drydock.ResourceID{Subscription: d.subscription, Group: "g"}
	id := group
	id.Namespace, id.Types, id.Names = "Microsoft.ContainerRegistry", []string{"registries"}, []string{name}
	for _, id := range []drydock.ResourceID{group, id} {
		if _, err := d.store.PutResource(t.Context(), drydock.Resource{ID: id, Body: []byte("{}")}, ""); err != nil {
			t.Fatal(err)
		}
	}
	return id
}

func TestHostsFileFollowsRegistries(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, map[string][]string{"manage-hosts": {"true"}})
	if err := os.WriteFile(d.hostsFile, []byte("127.0.0.1 localhost\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	stop := d.serving(t)
	holds := func(name string) bool {
		text, err := os.ReadFile(d.hostsFile)
		return err == nil && strings.Contains(string(text), "127.0.0.1 "+name+"\n")
	}
	for _, name := range []string{"management.drydock.test", "login.drydock.test", "drydock.blob.drydock.test"} {
		if !holds(name) {
			t.Error("no", name)
		}
	}
	d.registry(t, "Contoso")
	for deadline := time.Now().Add(20 * time.Second); !holds("contoso.azurecr.drydock.test"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the new registry is not in the hosts file")
		}
	}
	stop()
	if text, err := os.ReadFile(d.hostsFile); err != nil || string(text) != "127.0.0.1 localhost\n" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestHostKinds(t *testing.T) {
	t.Parallel()
	h := hostNames{"drydock.test", 8443}
	for host, want := range map[string]string{
		"management.drydock.test": "management", "LOGIN.drydock.test:1": "login", "graph.drydock.test": "graph", "a.azurecr.drydock.test:8443": "azurecr",
		"a.b.azurecr.drydock.test": "", "v.vault.drydock.test": "vault", "x.blob.drydock.test.": "blob",
		"azurecr.drydock.test": "", ".azurecr.drydock.test": "", "drydock.test": "", "127.0.0.1:8443": "", "evil-drydock.test": "", "": "",
	} {
		if got := h.kind(host); string(got) != want {
			t.Errorf("%q is %q, not %q", host, got, want)
		}
	}
	for host, want := range map[string]bool{
		"a.azurecr.drydock.test:8443": true, "A.azurecr.Drydock.test:8443": true, "a.azurecr.drydock.test": false,
		"a.b.azurecr.drydock.test:8443": false, ".azurecr.drydock.test:8443": false, "docker.io": false,
	} {
		if _, got := h.registryName(host); got != want {
			t.Errorf("%q is a registry: %t", host, got)
		}
	}
	if got := (hostNames{"drydock.test", 443}).loginServer("Contoso"); got != "contoso.azurecr.drydock.test" {
		t.Error(got)
	}
}

// Registries speak plain HTTP to this machine, and the others never do.
func TestPlainHTTP(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, nil)
	d.registry(t, "contoso")
	d.serving(t)
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, d.web.listener.Addr().String())
	}}}
	for host, want := range map[string]int{
		d.names.loginServer("contoso"): http.StatusUnauthorized,
		d.names.loginServer("nobody"):  http.StatusNotFound,
		d.names.host("management"):     http.StatusForbidden,
		d.names.host("login"):          http.StatusForbidden,
		d.names.host("graph"):          http.StatusForbidden,
		d.names.host("drydock.blob"):   http.StatusForbidden,
		"else.example":                 http.StatusMisdirectedRequest,
	} {
		resp, err := client.Get("http://" + host + "/v2/")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %s", host, resp.Status)
		}
		if c := resp.Header.Get("WWW-Authenticate"); want == http.StatusUnauthorized && !strings.Contains(c, `realm="http://`+host+`/oauth2/token"`) {
			t.Error(c)
		}
	}
}

func TestOldLogsAndUploadsGo(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, map[string][]string{"retention-logs": {"1h"}, "retention-sources": {"1h"}})
	defer d.close()
	ctx := t.Context()
	registry := d.registry(t, "contoso")
	sourceKey, err := d.blobs.sourceKey(ctx, registry, "source/x")
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]blobs.Key{"source": sourceKey}
	if _, err := d.blobs.folder.Put(ctx, keys["source"], strings.NewReader("x"), blobs.Attributes{}); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*drydock.RunRecord){
		"ended":    func(r *drydock.RunRecord) { r.Status = drydock.RunFailed },
		"archived": func(r *drydock.RunRecord) { r.Status, r.Archived = drydock.RunFailed, true },
		"running":  func(r *drydock.RunRecord) { r.Status = drydock.RunRunning },
	} {
		r, err := d.store.CreateRun(ctx, drydock.RunRecord{Registry: registry})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.store.UpdateRun(ctx, registry, r.ID, func(r *drydock.RunRecord) error { change(r); return nil }); err != nil {
			t.Fatal(err)
		}
		if keys[name], err = d.blobs.logKey(ctx, registry, r.ID); err != nil {
			t.Fatal(err)
		}
		log, err := d.blobs.OpenLog(ctx, registry, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := log.Seal(drydock.RunFailed); err != nil {
			t.Fatal(err)
		}
	}
	check := func(gone ...string) {
		t.Helper()
		for name, key := range keys {
			b, err := d.blobs.folder.Open(ctx, key)
			if err == nil {
				b.Close()
			}
			if there, want := err == nil, !strings.Contains(strings.Join(gone, " "), name); there != want {
				t.Errorf("%s is there: %t", name, there)
			}
		}
	}
	d.expire(ctx)
	check()
	d.now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	err = d.withoutRuns(t, func() { d.expire(ctx) })
	check()
	if err != nil {
		t.Fatal(err)
	}
	d.expire(ctx)
	check("ended") // a run that goes on may still need its source
	running := strings.TrimSuffix(keys["running"].Name, logSuffix)
	if _, err := d.store.UpdateRun(ctx, registry, running, func(r *drydock.RunRecord) error {
		r.Status = drydock.RunFailed
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	d.expire(ctx)
	check("ended", "running", "source")
}

// withoutRuns does something while the database can't be asked for runs.
func (d *daemon) withoutRuns(t *testing.T, do func()) error {
	t.Helper()
	db, err := sql.Open("sqlite", d.path(databaseFile))
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "ALTER TABLE runs RENAME TO hidden"); err != nil {
		return err
	}
	do()
	_, err = db.ExecContext(t.Context(), "ALTER TABLE hidden RENAME TO runs")
	return err
}

func TestOldRunsGoWithTheirLogs(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, map[string][]string{"retention-runs": {"2h"}, "retention-logs": {"9h"}})
	defer d.close()
	ctx := t.Context()
	registry := d.registry(t, "contoso")
	end := func(archived bool, age time.Duration) string {
		t.Helper()
		r, err := d.store.CreateRun(ctx, drydock.RunRecord{Registry: registry, Archived: archived})
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.store.UpdateRun(ctx, registry, r.ID, func(r *drydock.RunRecord) error {
			r.Status, r.Finished = drydock.RunFailed, time.Now().Add(-age)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		log, err := d.blobs.OpenLog(ctx, registry, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := log.Seal(drydock.RunFailed); err != nil {
			t.Fatal(err)
		}
		return r.ID
	}
	old := make([]string, runsAtATime+1)
	for i := range old {
		old[i] = end(false, 3*time.Hour)
	}
	kept := []string{end(true, 3*time.Hour), end(false, time.Hour)}
	d.expireRuns(ctx)
	for i, id := range append(old, kept...) {
		_, runErr := d.store.Run(ctx, registry, id)
		log, logErr := d.blobs.openLog(ctx, registry, id)
		if logErr == nil {
			log.Close()
		}
		if want := i >= len(old); (runErr == nil) != want || (logErr == nil) != want {
			t.Errorf("run %s: %v; its log: %v", id, runErr, logErr)
		}
	}
	d.config.RunsFor = 0
	d.now = func() time.Time { return time.Now().Add(10000 * time.Hour) }
	d.expireRuns(ctx)
	if _, err := d.store.Run(ctx, registry, kept[1]); err != nil {
		t.Error("without a limit:", err)
	}
}

// What is uploaded by an old link, or written while a registry is deleted, goes
// although no registry has it.
func TestBlobsOfDeletedRegistriesGo(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, nil)
	defer d.close()
	ctx := t.Context()
	registry := d.registry(t, "contoso")
	old, err := d.blobs.sourceKey(ctx, registry, "source/x")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.store.DeleteResource(ctx, registry); err != nil {
		t.Fatal(err)
	}
	anew, err := d.blobs.sourceKey(ctx, d.registry(t, "contoso"), "source/x")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []blobs.Key{old, anew} {
		if _, err := d.blobs.folder.Put(ctx, key, strings.NewReader("x"), blobs.Attributes{}); err != nil {
			t.Fatal(err)
		}
	}
	d.now = func() time.Time { return time.Now().Add(2 * orphanedAfter) }
	d.expire(ctx)
	for key, want := range map[blobs.Key]drydock.Code{old: drydock.NotFound, anew: ""} {
		b, err := d.blobs.folder.Open(ctx, key)
		if err == nil {
			b.Close()
		}
		if drydock.CodeOf(err) != want {
			t.Errorf("%v: %v", key, err)
		}
	}
}

// A reader of a log must not wait for ever for a run that ended when the server
// was killed.
func TestLogsOfEndedRunsAreSealed(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, nil)
	ctx := t.Context()
	registry := d.registry(t, "contoso")
	r, err := d.store.CreateRun(ctx, drydock.RunRecord{Registry: registry})
	if err != nil {
		t.Fatal(err)
	}
	log, err := d.blobs.OpenLog(ctx, registry, r.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = d.store.UpdateRun(ctx, registry, r.ID, func(r *drydock.RunRecord) error {
		r.Status, r.Result = drydock.RunFailed, []byte(`{"runErrorMessage":"the reason"}`)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	d.serving(t)
	b, err := d.blobs.openLog(ctx, registry, r.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	text := make([]byte, b.Properties().Size)
	if _, err := b.ReadAt(text, 0); err != nil {
		t.Fatal(err)
	}
	if p := b.Properties(); p.Metadata["Complete"] != "failed" || !strings.Contains(string(text), "the reason") {
		t.Errorf("%+v\n%s", p, text)
	}
}

func TestSealKeyIsNotMadeTwice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := openSealer(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, databaseFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openSealer(dir); err != nil {
		t.Error(err)
	}
	if err := os.Remove(filepath.Join(dir, sealKeyFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := openSealer(dir); drydock.CodeOf(err) != drydock.Conflict {
		t.Error("a new key beside an old database:", err)
	}
}

func TestSourcesOfThisMachine(t *testing.T) {
	t.Parallel()
	open := t.TempDir()
	repo := filepath.Join(open, "repo.git")
	if err := os.Mkdir(repo, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc", filepath.Join(open, "link")); err != nil {
		t.Fatal(err)
	}
	s := &runSources{files: []string{open}}
	for spec, allowed := range map[string]bool{
		"file://" + repo: true, "FILE://" + repo + "#main:dir": true, "file:///etc": false,
		"file://" + open + "/link": false, "file://" + open + "/../../etc": false, "file://" + repo + "x": false,
	} {
		if err := s.allowFile(spec); (err == nil) != allowed {
			t.Errorf("%s: %v", spec, err)
		}
	}
}

// Nothing of this machine is a source unless the operator opens it, and the
// server itself never is.
func TestLoopbackIsClosed(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.FileServer(http.Dir(t.TempDir())))
	t.Cleanup(web.Close)
	for allow, want := range map[string]string{"": "runs may not reach 127.0.0.1", "127.0.0.1": "404"} {
		flags := map[string][]string{}
		if allow != "" {
			flags["sources-allow"] = []string{allow}
		}
		d := newDaemon(t, flags)
		registry := d.registry(t, "contoso")
		fetch := func(source string) string {
			t.Helper()
			_, err := d.worker.Agent.Sources.Fetch(t.Context(), runner.SourceRequest{Registry: registry, Source: source})
			if err == nil {
				t.Fatal("fetched ", source)
			}
			return err.Error()
		}
		if got := fetch(web.URL + "/x.tar.gz"); !strings.Contains(got, want) {
			t.Errorf("allowing %q: %s", allow, got)
		}
		own := "http://" + d.listener.Addr().String()
		for _, source := range []string{own + "/x.tar.gz", "http://localhost:" + strconv.Itoa(d.names.port) + "/x.tar.gz"} {
			if got := fetch(source); !strings.Contains(got, "runs may not reach") {
				t.Errorf("allowing %q: %s: %s", allow, source, got)
			}
		}
		if err := d.close(); err != nil {
			t.Error(err)
		}
	}
}

func TestPanicsAreLogged(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	router := &hostRouter{
		names: hostNames{"drydock.test", 443}, log: slog.New(slog.NewTextHandler(&log, nil)),
		own: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/bug" {
				panic("a bug")
			}
			panic(http.ErrAbortHandler)
		}),
	}
	for _, path := range []string{"/bug", "/abort"} {
		func() {
			defer func() {
				if p := recover(); p != http.ErrAbortHandler { // see hostRouter
					t.Error("panicked with", p)
				}
			}()
			router.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
		}()
	}
	if text := log.String(); strings.Count(text, "a request panicked") != 1 || !strings.Contains(text, "a bug") {
		t.Error(text)
	}
}
