package cloudproxy

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"

	"github.com/drydockhq/drydock"
)

// connect answers CONNECT.
func (p *Proxy) connect(w http.ResponseWriter, r *http.Request) {
	host, port, err := target(r)
	if err != nil {
		p.refuse(w, r, r.Host, err)
		return
	}
	if https, ours := p.c.Ours(host); ours {
		if err := answers(host, port, 443, https); err != nil {
			p.refuse(w, r, r.Host, err)
			return
		}
		if conn := p.accept(w, r); conn != nil {
			p.c.Take(conn)
		}
		return
	}
	if err := p.passes(host); err != nil {
		p.refuse(w, r, r.Host, err)
		return
	}
	p.tunnel(w, r, net.JoinHostPort(host, strconv.Itoa(port)))
}

// target returns what a CONNECT is for. One that brings a body is refused: where
// its end is, and with it where the tunnel begins, can be read in two ways.
func target(r *http.Request) (host string, port int, err error) {
	if r.ContentLength != 0 || len(r.TransferEncoding) > 0 {
		return "", 0, drydock.Errorf(drydock.Invalid, "a CONNECT has no body")
	}
	if _, _, err := net.SplitHostPort(r.RequestURI); err != nil {
		return "", 0, drydock.Errorf(drydock.Invalid, "a CONNECT names a host and a port, not %s", printable(r.RequestURI))
	}
	// The request line alone says where to, whatever Host is.
	return splitHost(r.RequestURI, 0)
}

// accept tells the client that it is connected, and returns its connection; nil
// if it is gone.
func (p *Proxy) accept(w http.ResponseWriter, r *http.Request) net.Conn {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		p.refuse(w, r, r.Host, err)
		return nil
	}
	if _, err := io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		conn.Close()
		return nil
	}
	return &tunneled{conn, buffered.Reader}
}

// tunneled is a connection that begins with what the client said too early.
type tunneled struct {
	net.Conn
	r *bufio.Reader
}

// Read implements net.Conn.
func (t *tunneled) Read(b []byte) (int, error) { return t.r.Read(b) }

// CloseWrite tells the client that nothing more comes.
func (t *tunneled) CloseWrite() error { return closeWrite(t.Conn) }

// tunnel connects a client to a host outside.
func (p *Proxy) tunnel(w http.ResponseWriter, r *http.Request, address string) {
	if !p.enter() {
		p.refuse(w, r, address, errClosing)
		return
	}
	defer p.inside.Done()
	there, err := p.c.Outside.Dial(p.ctx, address)
	if err != nil {
		p.refuse(w, r, address, err)
		return
	}
	defer there.Close()
	here := p.accept(w, r)
	if here == nil {
		return
	}
	defer here.Close()
	defer context.AfterFunc(p.ctx, func() {
		here.Close()
		there.Close()
	})()
	var both sync.WaitGroup
	for _, pair := range [][2]net.Conn{{here, there}, {there, here}} {
		both.Go(func() {
			_, _ = io.Copy(pair[0], pair[1]) // the two ends see what became of it
			_ = closeWrite(pair[0])
		})
	}
	both.Wait()
}

// errClosing answers who comes too late: without an answer, a CONNECT looks as if it
// had succeeded.
var errClosing = drydock.Errorf(drydock.Unavailable, "this proxy is being closed")

// enter counts something that reaches the outside, unless the proxy is closed.
func (p *Proxy) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.inside.Add(1)
	}
	return !p.closed
}

func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
