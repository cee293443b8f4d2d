package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/drydockhq/drydock/internal/certs"
)

// Clients that have connected and ask for nothing don't hold up the end of a
// server; requests that go on do.
func TestUnusedConnectionsEndWithTheServer(t *testing.T) {
	t.Parallel()
	const domain = "drydock.test"
	a, err := certs.OpenAuthority(t.TempDir(), domain, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	begun, finish := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-finish
		_, _ = io.WriteString(w, "done")
	})
	own := certs.FromAuthority(a, domain, time.Now)
	s := newWebServer(l, handler, certs.ForClouds(own, own), slog.New(slog.DiscardHandler))
	served := make(chan error, 1)
	go func() { served <- s.serve() }()

	silent := dialTo(t, l.Addr())
	half := dialTo(t, l.Addr())
	if _, err := io.WriteString(half, "GET / HT"); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(a.PEM())
	reserved := tls.Client(dialTo(t, l.Addr()), &tls.Config{ServerName: "management." + domain, RootCAs: pool})
	if err := reserved.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	answer := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + l.Addr().String())
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		answer <- string(text)
	}()
	<-begun

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.shutdown(ctx) }()
	for name, c := range map[string]net.Conn{"silent": silent, "that has said half a word": half, "in reserve": reserved} {
		// http.Server closes those that are in reserve after 5 seconds, too.
		_ = c.SetReadDeadline(time.Now().Add(4 * time.Second))
		if _, err := io.Copy(io.Discard, c); err != nil && isTimeout(err) {
			t.Errorf("a connection %s stays open", name)
		}
	}
	select {
	case err := <-ended:
		t.Error("the server ended before a request did: ", err)
	default:
	}
	close(finish)
	if got := <-answer; got != "done" {
		t.Errorf("the request that went on was answered %q", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func isTimeout(err error) bool {
	e, ok := err.(net.Error)
	return ok && e.Timeout()
}

func dialTo(t *testing.T, addr net.Addr) net.Conn {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
