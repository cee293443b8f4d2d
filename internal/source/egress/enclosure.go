package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
)

// AddressVariable names, in the environment of enclosed programs, the address of
// their proxy.
const AddressVariable = "DRYDOCK_EGRESS"

// Enclosure is a place for programs that has a network namespace of its own, in
// which there is nothing but a proxy into the Network: what a program does not
// ask that for, it can't reach.
type Enclosure struct {
	network *Network
	server  *http.Server
	address string
	thread  int           // id of the one that is in the namespace
	start   chan func()   // carried out in the namespace
	ended   chan struct{} // its thread has
	serving sync.WaitGroup

	ctx  context.Context // of connections; ends with Close
	stop context.CancelFunc

	mu       sync.Mutex
	closed   bool
	requests sync.WaitGroup // grows with mu held, until closed
	refused  error
	failed   error
}

// Enclose makes an enclosure. It needs the right to make network namespaces. The
// caller closes it when its programs have ended.
func (n *Network) Enclose(ctx context.Context) (*Enclosure, error) {
	e := &Enclosure{network: n, start: make(chan func()), ended: make(chan struct{})}
	listening := make(chan error)
	var listener net.Listener
	go e.live(func() (err error) {
		e.thread = unix.Gettid()
		listener, err = listenAlone()
		return err
	}, listening)
	if err := <-listening; err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "making a network for git: %w", err).WithHint("the server runs as root")
	}
	e.address = listener.Addr().String()
	e.ctx, e.stop = context.WithCancel(context.WithoutCancel(ctx))
	e.server = &http.Server{Handler: http.HandlerFunc(e.serve), ReadHeaderTimeout: time.Minute}
	e.serving.Go(func() { _ = e.server.Serve(listener) }) // until it is closed
	return e, nil
}

// live is the life of the thread that is in the namespace.
func (e *Enclosure) live(open func() error, opened chan<- error) {
	runtime.LockOSThread() // and never unlocked: the thread ends here
	defer close(e.ended)
	err := open()
	opened <- err
	if err != nil {
		return
	}
	for f := range e.start {
		f()
	}
}

// listenAlone makes a network namespace for this thread, and listens in it.
func listenAlone() (net.Listener, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("making a network namespace: %w", err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	loopback, err := unix.NewIfreq("lo")
	if err != nil {
		return nil, err
	}
	loopback.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, loopback); err != nil {
		return nil, fmt.Errorf("setting up a network namespace: %w", err)
	}
	return net.Listen("tcp4", "127.0.0.1:0")
}

// Start starts a program in the enclosure.
func (e *Enclosure) Start(cmd *exec.Cmd) error {
	started := make(chan error)
	e.start <- func() { started <- cmd.Start() }
	return <-started
}

// Open makes a loopback address of the machine, as host:port, reachable at the
// same address in the enclosure, as far as the policy allows it: for programs that
// ask no proxy for such. An address that is in use in the enclosure stays as it is.
func (e *Enclosure) Open(address string) {
	host, port, _ := net.SplitHostPort(address)
	hosts := []string{host}
	if host == "localhost" { // which programs look up themselves
		hosts = []string{"127.0.0.1", "::1"}
	}
	for _, host := range hosts {
		opened := make(chan net.Listener)
		e.start <- func() {
			l, _ := net.Listen("tcp", net.JoinHostPort(host, port)) // there may be no IPv6
			opened <- l
		}
		if l := <-opened; l != nil {
			context.AfterFunc(e.ctx, func() { l.Close() })
			e.serving.Go(func() { e.pass(l, address) })
		}
	}
}

// pass joins the connections of a listener to an address.
func (e *Enclosure) pass(l net.Listener, address string) {
	for {
		here, err := l.Accept()
		if err != nil {
			return // it was closed
		}
		e.serving.Go(func() {
			defer context.AfterFunc(e.ctx, func() { here.Close() })()
			there, err := e.network.connect(e.ctx, address)
			if err != nil {
				e.note(err)
				here.Close()
				return
			}
			defer context.AfterFunc(e.ctx, func() { there.Close() })()
			join(here, there)
		})
	}
}

// Namespace returns the path of the network namespace, for programs that the
// caller does not start itself. It is there until Close.
func (e *Enclosure) Namespace() string {
	return fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), e.thread)
}

// Address returns that of the proxy.
func (e *Enclosure) Address() string { return e.address }

// Environ returns what enclosed programs find the proxy by.
func (e *Enclosure) Environ() []string { return environ(e.address) }

func environ(address string) []string {
	url := "http://" + address
	return []string{
		"http_proxy=" + url, "https_proxy=" + url, "HTTP_PROXY=" + url, "HTTPS_PROXY=" + url, "ALL_PROXY=" + url, "all_proxy=" + url,
		AddressVariable + "=" + address,
	}
}

// Refused returns why a program was first kept from reaching a host; nil if none
// was.
func (e *Enclosure) Refused() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.refused
}

// Failed returns why a host could not be reached, the last one if there are
// several; nil for none.
func (e *Enclosure) Failed() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.failed
}

// Close ends the enclosure and every connection out of it.
func (e *Enclosure) Close() error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.stop()
	err := e.server.Close()
	e.serving.Wait()
	e.requests.Wait()
	close(e.start)
	<-e.ended
	return err
}

// enter counts a request, unless the enclosure is being closed.
func (e *Enclosure) enter() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.requests.Add(1)
	}
	return !e.closed
}

// serve is the proxy.
func (e *Enclosure) serve(w http.ResponseWriter, r *http.Request) {
	if !e.enter() {
		return
	}
	defer e.requests.Done()
	switch {
	case r.Method == http.MethodConnect:
		e.connect(w, r)
	case r.URL.Scheme == "http" && r.URL.Host != "":
		e.forward(w, r)
	default:
		http.Error(w, "this is a proxy", http.StatusBadRequest)
	}
}

// forward passes a request on that is not encrypted.
func (e *Enclosure) forward(w http.ResponseWriter, r *http.Request) {
	(&httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.Host = p.In.Host
			if _, ok := p.In.Header["User-Agent"]; !ok {
				p.Out.Header.Set("User-Agent", "") // none of Go's own
			}
		},
		Transport:     e.network,
		FlushInterval: -1,
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, err error) { e.fail(w, err) },
	}).ServeHTTP(w, r)
}

func (e *Enclosure) connect(w http.ResponseWriter, r *http.Request) {
	there, err := e.network.connect(e.ctx, r.Host)
	if err != nil {
		e.fail(w, err)
		return
	}
	here, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		there.Close()
		e.fail(w, err)
		return
	}
	defer context.AfterFunc(e.ctx, func() {
		here.Close()
		there.Close()
	})()
	if _, err := here.Write([]byte("HTTP/1.1 200 Connected\r\n\r\n")); err != nil {
		here.Close()
	}
	join(&bufferedConn{here, buffered.Reader}, there)
}

// fail answers a request that could not be passed on.
func (e *Enclosure) fail(w http.ResponseWriter, err error) {
	if refused := e.note(err); refused != nil {
		http.Error(w, refused.Message, http.StatusForbidden)
		return
	}
	http.Error(w, err.Error(), http.StatusBadGateway)
}

// note keeps why a host was not reached, and returns the refusal if it is one.
func (e *Enclosure) note(err error) *drydock.Error {
	var user *drydock.Error
	e.mu.Lock()
	defer e.mu.Unlock()
	if !errors.As(err, &user) || user.Code != drydock.Denied {
		e.failed = err
		return nil
	}
	if e.refused == nil {
		e.refused = user
	}
	return user
}
