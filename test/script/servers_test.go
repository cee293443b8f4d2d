package script_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/drydockhq/drydock/test/registry"
	"github.com/drydockhq/drydock/test/serve"
)

// servers are the registries of a script, by host.
type servers map[string]*registry.Registry

// split returns the registry of a reference and the rest of it.
func (w *world) split(reference string) (*registry.Registry, string, error) {
	host, rest, _ := strings.Cut(reference, "/")
	if host == w.hub.Host {
		return w.hub.Registry, rest, nil
	}
	r, ok := w.servers[host]
	if !ok {
		return nil, "", fmt.Errorf("%s is in no registry of this script", reference)
	}
	return r, rest, nil
}

// start starts a registry that ends with the script.
func (w *world) start(o registry.Options, after func(func())) (*registry.Registry, error) {
	r, err := registry.New(o)
	if err != nil {
		return nil, err
	}
	w.servers[r.Host] = r
	after(func() {
		if err := r.Close(); err != nil {
			panic(fmt.Sprintf("closing a registry: %v", err))
		}
	})
	return r, nil
}

// startServers starts the script's own registry and its web server.
func (w *world) startServers(e *testscript.Env) (host string, err error) {
	own, err := w.start(registry.Options{}, e.Defer)
	if err != nil {
		return "", err
	}
	w.own = &counted{Registry: own}
	git, err := serve.GitHandler(filepath.Join(e.WorkDir, "git"))
	if err != nil {
		return "", err
	}
	mux := http.NewServeMux()
	mux.Handle("/git/", http.StripPrefix("/git", git))
	mux.Handle("/", http.FileServer(http.Dir(filepath.Join(e.WorkDir, "www"))))
	server := httptest.NewServer(mux)
	e.Defer(server.Close)
	e.Setenv("WEB", server.URL)
	return own.Host, nil
}
