// Package registry runs distribution, the reference registry, inside the test or
// program that needs one: on a loopback port of its own, with what a test wants
// to see (what was asked, how often, what is stored) and to go wrong.
package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// Options say what a registry is like. The zero value is a registry on a free
// port that serves plain HTTP to everybody and is empty.
type Options struct {
	// Addr is where to listen; "127.0.0.1:0" if empty.
	Addr string
	// Dir keeps the content. If empty, it is a temporary folder that Close
	// deletes.
	Dir string

	// Users are the passwords by user name. With none, no credentials are
	// asked for.
	Users map[string]string
	// Tokens asks for a bearer token that the registry's own token endpoint
	// gives for a user's credentials, instead of the credentials themselves.
	Tokens bool
	// AnonymousPull lets those who have no credentials pull.
	AnonymousPull bool
	// Allow says whether the user may "pull", "push" or "delete" in the
	// repository. Nil allows everything to every user.
	Allow func(user, repository, action string) bool

	// TLS serves HTTPS with a certificate of a CA of its own.
	TLS bool
	// Names are names beside 127.0.0.1, ::1 and localhost for the certificate.
	Names []string

	// Middleware sits between the request log and the registry: what it answers
	// is logged, and it sees requests before their credentials are looked at.
	Middleware func(http.Handler) http.Handler
	// Log gets the registry's own log. Nil drops it.
	Log io.Writer
}

// Registry is a running registry. Its methods may be called by several
// goroutines at once.
type Registry struct {
	Host string // host:port
	URL  string // http://host:port or https://host:port, without a path
	CA   []byte // PEM of the CA, nil without TLS

	dir     string // to delete at the end, or ""
	app     *app
	tokens  *tokens
	faults  *faults
	log     *requestLog
	server  *http.Server
	closing context.Context
	cancel  context.CancelFunc
	served  chan error
	once    sync.Once
	closed  error
}

// TB is what Start needs of testing.TB.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Start is New for a test, which it fails where New fails, and at whose end it
// closes the registry.
func Start(t TB, o Options) *Registry {
	t.Helper()
	r, err := New(o)
	if err != nil {
		t.Fatalf("%v", err)
		return nil
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("closing the test registry: %v", err)
		}
	})
	return r
}

// New starts a registry; close it with Close.
func New(o Options) (_ *Registry, err error) {
	r := &Registry{tokens: newTokens(), faults: &faults{}, log: newRequestLog(), served: make(chan error, 1)}
	r.closing, r.cancel = context.WithCancel(context.Background())
	dir := o.Dir
	if dir == "" {
		if r.dir, err = os.MkdirTemp("", "drydock-registry-"); err != nil {
			return nil, fmt.Errorf("starting a registry: %w", err)
		}
		dir = r.dir
	}
	defer func() {
		if err != nil {
			r.cancel()
			err = errors.Join(fmt.Errorf("starting a registry: %w", err), r.removeDir())
		}
	}()
	if r.app, err = newApp(r.closing, dir, o.Log); err != nil {
		return nil, err
	}
	return r, r.listen(o)
}

// listen opens the port and serves it.
func (r *Registry) listen(o Options) error {
	addr := o.Addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	r.server = &http.Server{
		Handler:           r.handler(o),
		BaseContext:       func(net.Listener) context.Context { return r.closing },
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	if o.Log != nil {
		r.server.ErrorLog = log.New(o.Log, "", 0)
	}
	scheme := "http"
	if o.TLS {
		scheme = "https"
		var err error
		if r.server.TLSConfig, r.CA, err = newTLS(o.Names, time.Now()); err != nil {
			return fmt.Errorf("making a certificate: %w", err)
		}
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	r.Host = listener.Addr().String()
	r.URL = scheme + "://" + r.Host
	go func() {
		if o.TLS {
			r.served <- r.server.ServeTLS(listener, "", "")
		} else {
			r.served <- r.server.Serve(listener)
		}
	}()
	return nil
}

// handler is what a request goes through, first to last: log, faults, the
// middleware of the options, credentials, registry.
func (r *Registry) handler(o Options) http.Handler {
	var h http.Handler = r.app
	if len(o.Users) > 0 {
		h = &guard{options: o, tokens: r.tokens, next: h}
	}
	if o.Middleware != nil {
		h = o.Middleware(h)
	}
	return r.log.wrap(r.faults.wrap(h))
}

// Close ends the registry: what hangs is let go, open connections are closed,
// and a temporary folder is deleted. It returns when all of it is done.
func (r *Registry) Close() error {
	r.once.Do(func() {
		r.cancel()
		err := r.server.Close()
		if served := <-r.served; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		r.log.drain()
		r.closed = errors.Join(err, r.app.Shutdown(), r.removeDir())
	})
	return r.closed
}

func (r *Registry) removeDir() error {
	if r.dir == "" {
		return nil
	}
	return os.RemoveAll(r.dir)
}
