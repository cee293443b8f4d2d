package instance

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/drydockhq/drydock"
)

const (
	// consolePrefix begins the paths of consoles.
	consolePrefix = "/containerConsoles/"
	// consoleWait is how long a client may take to open a console, and then to
	// send the password.
	consoleWait = time.Minute
	// maxConsoles bounds those that nobody has opened.
	maxConsoles = 1000
)

// consoles are streams that clients may open, each once.
type consoles struct {
	mu   sync.Mutex
	open map[string]pending // by path
	work sync.WaitGroup
}

// pending is a console that nobody has opened yet.
type pending struct {
	drydock.ConsoleRequest
	password string
	until    time.Time
}

// Console makes a stream for a container that runs, or ran.
func (m *Manager) Console(r drydock.ConsoleRequest) (drydock.Console, error) {
	l, err := m.life(r.Group, r.Container)
	if err != nil {
		return drydock.Console{}, err
	}
	if l == nil || len(r.Command) > 0 && l.view().Current.State != drydock.ContainerRunning {
		return drydock.Console{}, drydock.Errorf(drydock.Conflict, "the container %s does not run", r.Container)
	}
	now := m.c.Now()
	c := &m.consoles
	c.mu.Lock()
	defer c.mu.Unlock()
	for path, p := range c.open {
		if now.After(p.until) {
			delete(c.open, path)
		}
	}
	if len(c.open) >= maxConsoles {
		return drydock.Console{}, drydock.Errorf(drydock.Unavailable, "too many consoles were asked for that nobody has opened").
			WithHint("try again in a minute")
	}
	path, password := consolePrefix+rand.Text(), rand.Text()+rand.Text()
	c.open[path] = pending{ConsoleRequest: r, password: password, until: now.Add(consoleWait)}
	return drydock.Console{Path: path, Password: password}, nil
}

// take returns a console and forgets it.
func (c *consoles) take(path string, now time.Time) (pending, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.open[path]
	delete(c.open, path)
	return p, ok && now.Before(p.until)
}

// WithConsoles answers for the consoles and sends everything else on.
func (m *Manager) WithConsoles(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, consolePrefix) {
			next.ServeHTTP(w, r)
			return
		}
		m.mu.Lock()
		if m.closed {
			m.mu.Unlock()
			http.Error(w, "the server is going down", http.StatusServiceUnavailable)
			return
		}
		m.consoles.work.Add(1)
		m.mu.Unlock()
		defer m.consoles.work.Done()
		m.serveConsole(w, r)
	})
}

func (m *Manager) serveConsole(w http.ResponseWriter, r *http.Request) {
	p, ok := m.consoles.take(r.URL.Path, m.c.Now())
	if !ok {
		http.Error(w, "there is no such console, or it was opened already", http.StatusNotFound)
		return
	}
	given := r.Header.Get("Authorization")
	if given != "" && !same(given, p.password) {
		http.Error(w, "wrong password", http.StatusUnauthorized)
		return
	}
	socket, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // it has answered
	}
	defer socket.CloseNow()
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	stop := context.AfterFunc(m.ctx, func() { cancel(errClosing) })
	defer stop()
	if given == "" {
		if err := authenticate(ctx, socket, p.password); err != nil {
			socket.Close(websocket.StatusPolicyViolation, "wrong password")
			return
		}
	}
	status, err := m.stream(ctx, socket, p.ConsoleRequest)
	switch {
	case err != nil:
		reason := err.Error()
		socket.Close(websocket.StatusInternalError, strings.ToValidUTF8(reason[:min(len(reason), 120)], ""))
	default:
		socket.Close(websocket.StatusNormalClosure, fmt.Sprintf("exit status %d", status))
	}
}

// same compares secrets; clients may write "Bearer" before one.
func same(given, password string) bool {
	given = strings.TrimPrefix(given, "Bearer ")
	return subtle.ConstantTimeCompare([]byte(given), []byte(password)) == 1
}

// authenticate reads the password, which is the first message.
func authenticate(ctx context.Context, socket *websocket.Conn, password string) error {
	ctx, cancel := context.WithTimeout(ctx, consoleWait)
	defer cancel()
	_, text, err := socket.Read(ctx)
	if err != nil {
		return err
	}
	if !same(string(text), password) {
		return errors.New("wrong password")
	}
	return nil
}

// stream carries what a container says, and to a command what the client types.
func (m *Manager) stream(ctx context.Context, socket *websocket.Conn, r drydock.ConsoleRequest) (status int, err error) {
	l, err := m.life(r.Group, r.Container)
	if err != nil {
		return 0, err
	}
	if l == nil {
		return 0, drydock.Errorf(drydock.Conflict, "the container %s does not run", r.Container)
	}
	out := socketWriter{ctx, socket}
	if len(r.Command) == 0 {
		ctx := socket.CloseRead(ctx)
		return 0, l.output.follow(socketWriter{ctx, socket}, ctx.Done())
	}
	// Who reads the socket goes on until it is closed: to end it earlier would
	// break the connection off.
	running, gone := context.WithCancel(ctx)
	defer gone()
	input, typed := io.Pipe()
	defer input.Close()
	m.consoles.work.Go(func() {
		defer gone()
		for {
			_, data, err := socket.Read(ctx)
			if err != nil {
				_ = typed.CloseWithError(io.EOF)
				return
			}
			_, _ = typed.Write(data) // nobody minds what is typed when the command has ended
		}
	})
	return l.d.pod.Exec(running, l.spec.Name, ExecSpec{Command: r.Command, Input: input, Output: out, Rows: r.Rows, Columns: r.Columns})
}

// socketWriter sends each write as a message.
type socketWriter struct {
	ctx    context.Context
	socket *websocket.Conn
}

// Write implements io.Writer.
func (w socketWriter) Write(p []byte) (int, error) {
	if err := w.socket.Write(w.ctx, websocket.MessageBinary, p); err != nil {
		return 0, err
	}
	return len(p), nil
}
