package egress

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// Dial connects to host:port as the policy has it, through the proxy if there is
// one. An address that nobody may reach is an error with code Denied.
func (n *Network) Dial(ctx context.Context, address string) (net.Conn, error) {
	return n.connect(ctx, address)
}

// connect opens a connection to host:port, through the proxy if there is one.
func (n *Network) connect(ctx context.Context, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if host, err = n.o.Policy.asciiHost(host); err != nil {
		return nil, err
	}
	if err := n.o.Policy.checkHost(host); err != nil {
		return nil, err
	}
	address = net.JoinHostPort(host, port)
	scheme := "https"
	if port == "80" {
		scheme = "http"
	}
	proxy, err := n.proxy(&url.URL{Scheme: scheme, Host: address})
	if err != nil {
		return nil, err
	}
	if proxy == nil {
		return n.dialer.DialContext(ctx, "tcp", address)
	}
	return n.tunnel(ctx, proxy, address)
}

// tunnel asks a proxy for a connection.
func (n *Network) tunnel(ctx context.Context, proxy *url.URL, address string) (net.Conn, error) {
	at := proxy.Host
	if proxy.Port() == "" {
		at = net.JoinHostPort(proxy.Hostname(), map[string]string{"https": "443"}[proxy.Scheme])
		if proxy.Scheme != "https" {
			at = net.JoinHostPort(proxy.Hostname(), "80")
		}
	}
	conn, err := n.direct.DialContext(ctx, "tcp", at)
	if err != nil {
		return nil, fmt.Errorf("connecting to the proxy: %w", err)
	}
	if proxy.Scheme == "https" {
		conn = tls.Client(conn, &tls.Config{ServerName: proxy.Hostname(), MinVersion: tls.VersionTLS12})
	}
	authorization := ""
	if proxy.User != nil {
		password, _ := proxy.User.Password()
		authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(proxy.User.Username()+":"+password))
	}
	within, cancel := context.WithTimeoutCause(ctx, n.o.Within, fmt.Errorf("asking the proxy for %s: it did not answer within %s", address, n.o.Within))
	defer cancel()
	r, err := ask(within, conn, address, authorization)
	if err != nil {
		conn.Close()
		if within.Err() != nil {
			return nil, context.Cause(within)
		}
		return nil, err
	}
	return &bufferedConn{conn, r}, nil
}

// ask sends CONNECT to a proxy and returns what reads the connection from then
// on.
func ask(ctx context.Context, conn net.Conn, address, authorization string) (*bufio.Reader, error) {
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	header := ""
	if authorization != "" {
		header = "Proxy-Authorization: " + authorization + "\r\n"
	}
	if _, err := fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %[1]s\r\n%s\r\n", address, header); err != nil {
		return nil, fmt.Errorf("asking the proxy for %s: %w", address, err)
	}
	r := bufio.NewReader(conn)
	answer, err := http.ReadResponse(r, &http.Request{Method: http.MethodConnect})
	if err != nil {
		return nil, fmt.Errorf("asking the proxy for %s: %w", address, err)
	}
	if answer.StatusCode != http.StatusOK {
		defer answer.Body.Close()
		why, _ := io.ReadAll(io.LimitReader(answer.Body, maxReason)) // what there is of it
		return nil, &refusedError{address: address, status: answer.Status, why: strings.TrimSpace(string(why))}
	}
	return r, nil
}

// maxReason bounds in bytes what is read of a proxy's reason.
const maxReason = 1000

// refusedError is a proxy's answer that there is no connection.
type refusedError struct{ address, status, why string }

// Error returns the status alone: what a proxy says beside it is often a page.
func (e *refusedError) Error() string {
	return fmt.Sprintf("asking the proxy for %s: it answered %s", e.address, e.status)
}

// bufferedConn is a connection whose first bytes are in r.
type bufferedConn struct {
	net.Conn
	r *bufio.Reader
}

// Read implements net.Conn.
func (c *bufferedConn) Read(p []byte) (int, error) { return c.r.Read(p) }

// CloseWrite ends what is sent, if the connection can say so.
func (c *bufferedConn) CloseWrite() error { return closeWrite(c.Conn) }

func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// ConnectDoing begins Connect's error when the enclosure can't reach a host.
const ConnectDoing = "connecting to"

// Connect joins in and out to a host through the proxy of an enclosure, for
// programs that speak to no proxy themselves, as ssh.
func Connect(ctx context.Context, proxy, address string, in io.Reader, out io.Writer) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", proxy)
	if err != nil {
		return err
	}
	defer conn.Close()
	r, err := ask(ctx, conn, address, "")
	var refused *refusedError
	if errors.As(err, &refused) && refused.why != "" {
		return fmt.Errorf("%s %s: %s", ConnectDoing, address, refused.why)
	}
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(conn, in) // the other direction says how it ended
		_ = closeWrite(conn)
	}()
	_, err = io.Copy(out, r)
	return err
}

// join copies between two connections until both directions have ended.
func join(a, b net.Conn) {
	var both sync.WaitGroup
	for _, pair := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			_, _ = io.Copy(pair[0], pair[1]) // the two ends see what became of it
			_ = closeWrite(pair[0])
		})
	}
	both.Wait()
	a.Close()
	b.Close()
}
