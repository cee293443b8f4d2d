package script_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/drydockhq/drydock/test/serve"
)

// sharedServer is a server that starts when the first script wants it.
type sharedServer struct {
	start  func(t serve.TB) *serve.Server
	parent serve.TB
	once   sync.Once
	server *serve.Server
}

// get returns the server, nil if it did not start for another script.
func (s *sharedServer) get(t serve.TB) *serve.Server {
	s.once.Do(func() {
		shared := &sharedTB{TB: s.parent, fatal: t.Fatal}
		s.server = s.start(shared)
		shared.fatal = s.parent.Fatal
	})
	return s.server
}

// sharedTB is the test of all scripts. While the server starts, only the script
// that wanted it can be ended.
type sharedTB struct {
	serve.TB
	fatal func(...any)
}

// Fatal implements serve.TB.
func (t *sharedTB) Fatal(args ...any) {
	t.Helper()
	t.fatal(args...)
}

// serve starts a server that ends with the test. Nothing may be left of it then.
func (s *suite) serve(t serve.TB, flags ...string) *serve.Server {
	data, err := os.MkdirTemp("", "dds-") // short, as in newData
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := removeData(data); err != nil {
			t.Error("cleaning up after a server: ", err)
		}
	})
	return serve.Start(t, serve.Options{
		Program: s.program, Data: data, Domain: serve.LocalDomain,
		Args: append([]string{"--registries-mirrors=docker.io=" + s.hub.URL, "--registries-mirrors=mcr.microsoft.com=" + s.hub.URL}, flags...),
	})
}

// startServer starts the script's server, or starts it again.
func startServer(ts *testscript.TestScript, neg bool, flags []string) {
	w := of(ts)
	if neg {
		ts.Fatalf("usage: serve [FLAG...]")
	}
	before := 0
	if w.server == nil {
		w.server = w.suite.serve(w.t, flags...)
	} else {
		before = len(w.server.Output())
		w.server.Restart()
	}
	w.reach(ts)
	_, _ = fmt.Fprint(ts.Stdout(), w.server.Output()[before:]) // to a buffer
}

// reach tells the script how its server is reached.
func (w *world) reach(ts *testscript.TestScript) {
	s := w.server
	ca := filepath.Join(w.work, ".home", "ca.pem")
	ts.Check(os.WriteFile(ca, s.CA, 0o600))
	for key, value := range map[string]string{
		"ENDPOINT": "https://" + s.Host("management"), "TENANT": s.Tenant, "ID": s.ClientID, "SECRET": s.Secret,
		"PORT": s.Port, "SUFFIX": s.Host("azurecr"), "DRYDOCK_CA_FILE": ca,
	} {
		ts.Setenv(key, value)
	}
}

func stopServer(ts *testscript.TestScript, _ []string) error {
	w := of(ts)
	if w.server == nil || w.server == w.shared.server {
		return errors.New("the script has no server of its own")
	}
	return w.server.Stop()
}

// useShared signs the script in to the shared server.
func useShared(ts *testscript.TestScript, _ []string) error {
	w := of(ts)
	shared := w.shared.get(w.t)
	if shared == nil {
		return errors.New("the shared server did not start")
	}
	w.server = shared.On(w.t)
	w.reach(ts)
	registry := strings.ReplaceAll(strings.TrimPrefix(w.name, "server-"), "-", "") + "acr"
	for key, value := range map[string]string{
		"GROUP": w.name, "ACR": registry, "LOGIN": w.server.LoginServer(registry),
	} {
		ts.Setenv(key, value)
	}
	for _, line := range [][]string{
		{"login", "--endpoint", "https://" + w.server.Host("management"), "--service-principal", "-u", w.server.ClientID, "-p", w.server.Secret, "--tenant", w.server.Tenant},
		{"group", "create", "-n", w.name, "-l", "local"},
		{"acr", "create", "-g", w.name, "-n", registry, "--sku", "Basic"},
		{"configure", "--defaults", "group=" + w.name},
	} {
		if err := ts.Exec("drydock", line...); err != nil {
			return err
		}
	}
	return nil
}

// attach pushes an artifact that refers to an image of the server.
func attach(ts *testscript.TestScript, args []string) error {
	w := of(ts)
	if w.server == nil {
		return errors.New("there is no server yet")
	}
	options := []remote.Option{
		remote.WithAuth(&authn.Basic{Username: w.server.ClientID, Password: w.server.Secret}),
		remote.WithTransport(w.server.Transport()), remote.WithContext(w.ctx),
	}
	reference, err := name.ParseReference(args[0])
	if err != nil {
		return err
	}
	subject, err := remote.Head(reference, options...)
	if err != nil {
		return err
	}
	layer := static.NewLayer([]byte(args[2]), types.MediaType(args[1]))
	image, err := mutate.AppendLayers(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.MediaType(args[1])), layer)
	if err != nil {
		return err
	}
	artifact, ok := mutate.Subject(image, *subject).(v1.Image)
	if !ok {
		return errors.New("an image with a subject is no image")
	}
	digest, err := artifact.Digest()
	if err != nil {
		return err
	}
	return remote.Write(reference.Context().Digest(digest.String()), artifact, options...)
}
