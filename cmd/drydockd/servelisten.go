package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// webServer serves HTTPS, and plain HTTP, on one listener. Which of them a
// connection is can be seen from its first byte.
type webServer struct {
	listener net.Listener
	secure   *http.Server
	plain    *http.Server
	log      *slog.Logger

	secureConns, plainConns *connQueue // of the two servers
	unused                  *unusedConns
}

// tlsHandshake is the first byte of a TLS connection; see RFC 8446 §5.1.
const tlsHandshake = 0x16

// firstByteWithin is how long a client may take to say something.
const firstByteWithin = 20 * time.Second

func newWebServer(l net.Listener, handler http.Handler, certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error), log *slog.Logger) *webServer {
	unused := newUnusedConns()
	server := func() *http.Server {
		return &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: 20 * time.Second,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    128 << 10,
			ConnContext:       connContext,
			ConnState:         unused.follow,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		}
	}
	s := &webServer{
		listener: l, secure: server(), plain: server(), log: log, unused: unused,
		secureConns: newConnQueue(l.Addr()), plainConns: newConnQueue(l.Addr()),
	}
	s.secure.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate}
	return s
}

// serve serves until the server is shut down.
func (s *webServer) serve() error {
	secure, plain := s.secureConns, s.plainConns
	var servers sync.WaitGroup
	ended := make(chan error, 2)
	servers.Go(func() { ended <- s.secure.ServeTLS(secure, "", "") })
	servers.Go(func() { ended <- s.plain.Serve(plain) })
	err := s.accept(secure, plain)
	secure.Close()
	plain.Close()
	servers.Wait()
	return err
}

// takeSecure serves HTTPS on a connection that came by another way, and owns it
// from then on.
func (s *webServer) takeSecure(c net.Conn) { s.secureConns.add(c) }

// takePlain is takeSecure for plain HTTP.
func (s *webServer) takePlain(c net.Conn) { s.plainConns.add(c) }

// accept hands new connections to the two servers.
func (s *webServer) accept(secure, plain *connQueue) error {
	var sorting sync.WaitGroup
	defer sorting.Wait()
	for pause := 5 * time.Millisecond; ; {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			// Too many open files, for example: it passes.
			s.log.Warn("accepting a connection, trying again", "error", err)
			time.Sleep(pause)
			pause = min(2*pause, time.Second)
			continue
		}
		pause = 5 * time.Millisecond
		s.unused.add(conn)
		sorting.Go(func() {
			defer s.unused.remove(conn)
			sortConn(conn, secure, plain)
		})
	}
}

// sortConn looks at the first byte of a connection and hands it on.
func sortConn(conn net.Conn, secure, plain *connQueue) {
	peeked := &peekedConn{Conn: conn, r: bufio.NewReaderSize(conn, 4096)}
	if err := conn.SetReadDeadline(time.Now().Add(firstByteWithin)); err != nil {
		conn.Close()
		return
	}
	first, err := peeked.r.Peek(1)
	if err == nil {
		err = conn.SetReadDeadline(time.Time{})
	}
	switch {
	case err != nil:
		conn.Close()
	case first[0] == tlsHandshake:
		secure.add(peeked)
	default:
		plain.add(peeked)
	}
}

// shutdown lets requests end until ctx does, and closes the listener.
func (s *webServer) shutdown(ctx context.Context) error {
	err := s.listener.Close()
	unused := time.AfterFunc(unusedGrace, s.unused.close)
	var servers sync.WaitGroup
	for _, server := range []*http.Server{s.secure, s.plain} {
		servers.Go(func() {
			if server.Shutdown(ctx) != nil {
				_ = server.Close() // what still goes on is cut off
			}
		})
	}
	servers.Wait()
	unused.Stop()
	s.unused.close()
	return err
}

// peekedConn is a connection whose first bytes are in r.
type peekedConn struct {
	net.Conn
	r *bufio.Reader
}

// Read implements net.Conn.
func (c *peekedConn) Read(p []byte) (int, error) { return c.r.Read(p) }

// connQueue is a listener whose connections somebody else accepts.
type connQueue struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newConnQueue(addr net.Addr) *connQueue {
	return &connQueue{addr: addr, conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (q *connQueue) add(c net.Conn) {
	select {
	case q.conns <- c:
	case <-q.closed:
		c.Close()
	}
}

// Accept implements net.Listener.
func (q *connQueue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (q *connQueue) Close() error {
	q.once.Do(func() { close(q.closed) })
	return nil
}

// Addr implements net.Listener.
func (q *connQueue) Addr() net.Addr { return q.addr }
