package main

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// unusedGrace is how long clients that have connected and asked for nothing yet may
// still do so when the server ends. Those that keep a connection in reserve never
// do, and http.Server.Shutdown waits 5 seconds for them.
const unusedGrace = 250 * time.Millisecond

// unusedConns are connections on which nothing was asked for yet.
type unusedConns struct {
	mu    sync.Mutex
	over  bool
	conns map[net.Conn]struct{}
}

func newUnusedConns() *unusedConns { return &unusedConns{conns: map[net.Conn]struct{}{}} }

// add notes a connection, or closes it if it is too late for that.
func (u *unusedConns) add(c net.Conn) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over {
		_ = c.Close() // whoever has it sees that
		return
	}
	u.conns[c] = struct{}{}
}

func (u *unusedConns) remove(c net.Conn) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.conns, c)
}

// follow is an http.Server's ConnState.
func (u *unusedConns) follow(c net.Conn, state http.ConnState) {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn() // whose closing waits for nobody
	}
	if state == http.StateNew {
		u.add(c)
	} else {
		u.remove(c)
	}
}

// close closes all of them, and those that come later.
func (u *unusedConns) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.over = true
	for c := range u.conns {
		_ = c.Close()
	}
	clear(u.conns)
}
