package oci

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
)

// DefaultGrace is how long blobs that no manifest needs and unfinished uploads
// are kept by default: a push must not take longer between its first blob and
// its manifest.
const DefaultGrace = 24 * time.Hour

// Options are what a Server needs. Directory, Authorizer, Store, Secret and Log
// must be set.
type Options struct {
	Directory  Directory
	Authorizer Authorizer
	Store      Store
	Storage    Storage
	// Secret signs the state of upload sessions. It stays the same, so that they
	// go on after a restart.
	Secret []byte
	// Grace is how long a blob that no manifest needs is kept since it was last
	// pushed or asked for; 0 for DefaultGrace.
	Grace time.Duration
	// UploadGrace is how long an upload is kept to which nobody writes; 0 for
	// DefaultGrace.
	UploadGrace time.Duration
	Log         *slog.Logger
}

// Server serves all registries, told apart by the first label of the host that
// a request names. Its methods may be called from several goroutines.
type Server struct {
	options Options
	closing context.Context
	close   context.CancelFunc

	mu   sync.Mutex
	apps map[string]*app // by the name of the registry in lower case
}

// New returns a server; close it with Close.
func New(o Options) *Server {
	if o.Grace == 0 {
		o.Grace = DefaultGrace
	}
	if o.UploadGrace == 0 {
		o.UploadGrace = DefaultGrace
	}
	s := &Server{options: o, apps: map[string]*app{}}
	s.closing, s.close = context.WithCancel(context.Background())
	return s
}

// Close ends the apps. No request may be going on.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for _, a := range s.apps {
		err = errors.Join(err, a.Shutdown())
	}
	clear(s.apps)
	s.close()
	return err
}

// app returns the app of a registry, which it makes at first use and keeps.
func (s *Server) app(reg Registry) (*app, error) {
	folder := strings.ToLower(reg.ID.Name())
	if err := drydock.CheckRegistryName(folder); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.apps[folder]; ok && a.content.registry.Key() == reg.ID.Key() {
		return a, nil
	}
	c := &content{registry: reg.ID, store: s.options.Store, fresh: s.options.Grace / 4}
	a, err := newApp(s.closing, s.options, c, folder)
	if err != nil {
		return nil, fmt.Errorf("opening the storage of registry %s: %w", reg.ID.Name(), err)
	}
	s.apps[folder] = a
	return a, nil
}

// ServeHTTP answers a request to a registry's host.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	name, _, _ := strings.Cut(host, ".")
	reg, err := s.options.Directory.Registry(r.Context(), name)
	if err != nil {
		problemOf(s.logged(r, err), "NAME_UNKNOWN").write(w, r)
		return
	}
	h := w.Header()
	h.Set("Docker-Distribution-Api-Version", "registry/2.0")
	c := &call{server: s, registry: reg, w: w, r: r}
	var p error
	switch r.URL.Path {
	case "/oauth2/token":
		p = c.token()
	case "/oauth2/exchange":
		p = c.exchange()
	default:
		p = c.serve()
	}
	if p != nil {
		problemOf(s.logged(r, p), c.unknown()).write(w, r)
	}
}

// logged writes an error that is the server's fault to its log and returns it.
func (s *Server) logged(r *http.Request, err error) error {
	var p *problem
	var missing *drydock.MissingContentError
	code := drydock.CodeOf(err)
	if !errors.As(err, &p) && !errors.As(err, &missing) && (code == drydock.Internal || code == drydock.Unavailable) &&
		r.Context().Err() == nil {
		s.options.Log.Error("serving a registry", "host", r.Host, "method", r.Method, "path", r.URL.Path, "error", err)
	}
	return err
}
