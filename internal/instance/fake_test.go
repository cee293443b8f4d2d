package instance_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/instance"
)

// engine is a fake engine whose containers do what the test says.
type engine struct {
	mu       sync.Mutex
	running  map[string]*process // by image: a test has one of each
	started  chan *process       // each that is started
	pulls    []string            // image@digest
	broken   map[string]error    // images that can't be pulled
	taken    map[uint16]bool     // ports
	served   *pod                // that requests go to; nil for none
	networks int                 // open ones
	pods     int
	wants    []netip.Addr
	deaf     bool // containers accept no connections
}

func newEngine() *engine {
	return &engine{running: map[string]*process{}, started: make(chan *process, 100), broken: map[string]error{}, taken: map[uint16]bool{}}
}

// process is one life of a container.
type process struct {
	spec instance.RunSpec
	end  chan instance.Exit
	term chan struct{} // closed by SIGTERM
	once sync.Once
}

func (p *process) exit(status int) { p.end <- instance.Exit{Status: status} }

func (e *engine) Resolve(_ context.Context, image string, _ []drydock.Credential) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return "sha256:" + image, e.broken[image]
}

func (e *engine) Open(_ context.Context, spec instance.NetworkSpec) (instance.Network, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.networks++
	e.wants = append(e.wants, spec.Want)
	n := &network{e: e}
	if spec.Public {
		n.addr = netip.MustParseAddr("192.0.2.7")
	}
	return n, nil
}

func (e *engine) serves() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.served == nil {
		return ""
	}
	return e.served.image
}

type network struct {
	e    *engine
	addr netip.Addr
}

func (n *network) Address() netip.Addr { return n.addr }

func (n *network) NewPod(context.Context, instance.PodSpec) (instance.Pod, error) {
	n.e.mu.Lock()
	defer n.e.mu.Unlock()
	n.e.pods++
	p := &pod{n: n, processes: map[string]*process{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p, nil
}

func (n *network) Publish(_ context.Context, to instance.Pod, ports []drydock.GroupPort) error {
	n.e.mu.Lock()
	defer n.e.mu.Unlock()
	for _, p := range ports {
		if n.e.taken[p.Number] {
			return drydock.Errorf(drydock.Conflict, "port %d is in use", p.Number)
		}
	}
	n.e.served = to.(*pod)
	return nil
}

func (*network) Drain(context.Context, instance.Pod) {}

func (n *network) Close() error {
	n.e.mu.Lock()
	defer n.e.mu.Unlock()
	n.e.networks--
	n.e.served = nil
	return nil
}

type pod struct {
	n      *network
	image  string
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu        sync.Mutex
	processes map[string]*process
}

func (p *pod) Pull(_ context.Context, image, digest string) (string, error) {
	p.n.e.mu.Lock()
	defer p.n.e.mu.Unlock()
	if p.image == "" {
		p.image = image
	}
	if err := p.n.e.broken[image]; err != nil {
		return "", err
	}
	p.n.e.pulls = append(p.n.e.pulls, image+"@"+digest)
	return "sha256:" + image, nil
}

func (p *pod) Run(ctx context.Context, c instance.RunSpec) (instance.Exit, error) {
	p.work.Add(1)
	defer p.work.Done()
	x := &process{spec: c, end: make(chan instance.Exit, 1), term: make(chan struct{})}
	p.mu.Lock()
	p.processes[c.Name] = x
	p.mu.Unlock()
	fmt.Fprintf(c.Output, "life of %s\n", c.Image)
	c.Started()
	p.n.e.started <- x
	defer func() {
		p.mu.Lock()
		delete(p.processes, c.Name)
		p.mu.Unlock()
	}()
	select {
	case end := <-x.end:
		return end, nil
	case <-x.term:
		return instance.Exit{Status: 143}, nil
	case <-ctx.Done():
		return instance.Exit{}, ctx.Err()
	case <-p.ctx.Done():
		return instance.Exit{}, context.Canceled
	}
}

func (p *pod) Signal(container string, _ syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if x := p.processes[container]; x != nil {
		x.once.Do(func() { close(x.term) })
	}
	return nil
}

func (p *pod) Exec(_ context.Context, _ string, e instance.ExecSpec) (int, error) {
	if e.Input == nil {
		return 0, nil
	}
	line := make([]byte, 64)
	n, err := e.Input.Read(line)
	fmt.Fprintf(e.Output, "%s %dx%d: %s", strings.Join(e.Command, " "), e.Rows, e.Columns, line[:n])
	return 7, err
}

func (p *pod) Dial(context.Context, string, uint16) (net.Conn, error) {
	p.n.e.mu.Lock()
	defer p.n.e.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n.e.deaf || len(p.processes) == 0 {
		return nil, errors.New("connection refused")
	}
	near, far := net.Pipe()
	_ = far.Close()
	return near, nil
}

func (p *pod) Close() error {
	p.cancel()
	p.work.Wait()
	p.n.e.mu.Lock()
	defer p.n.e.mu.Unlock()
	p.n.e.pods--
	return nil
}

// world is a manager on a fake engine, with the groups and notes that outlive it.
type world struct {
	t      *testing.T
	engine *engine
	m      *instance.Manager
	folder string

	mu     sync.Mutex
	groups map[string]drydock.ContainerGroup
	notes  map[string][]byte
}

var groupID = drydock.ResourceID{Subscription: "s", Group: "g", Namespace: "Microsoft.ContainerInstance", Types: []string{"containerGroups"}, Names: []string{"page"}}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, engine: newEngine(), folder: t.TempDir(), groups: map[string]drydock.ContainerGroup{}, notes: map[string][]byte{}}
	w.start()
	t.Cleanup(func() { w.m.Close() })
	return w
}

// start makes a new manager, as a start of the server does.
func (w *world) start() {
	n := 0
	w.m = instance.New(instance.Config{
		Engine: w.engine, Source: w, States: w, Folder: w.folder, Log: discard(), Now: time.Now,
		NewID:  func() string { n++; return fmt.Sprint(n) },
		Timing: instance.Timing{Ready: 300 * time.Millisecond, Look: time.Millisecond, Grace: time.Second, Backoff: 2 * time.Millisecond, MaxWait: 10 * time.Millisecond},
	})
	if err := w.m.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) ContainerGroup(_ context.Context, id drydock.ResourceID) (drydock.ContainerGroup, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	g, ok := w.groups[id.Key()]
	if !ok {
		return g, drydock.Errorf(drydock.NotFound, "no group")
	}
	return g, nil
}

func (w *world) ContainerGroups(context.Context) (ids []drydock.ResourceID, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, g := range w.groups {
		ids = append(ids, g.ID)
	}
	return ids, nil
}

func (w *world) Instance(_ context.Context, id drydock.ResourceID) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if notes, ok := w.notes[id.Key()]; ok {
		return notes, nil
	}
	return nil, drydock.Errorf(drydock.NotFound, "no notes")
}

func (w *world) PutInstance(_ context.Context, id drydock.ResourceID, notes []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notes[id.Key()] = notes
	return nil
}

func (w *world) DeleteInstance(_ context.Context, id drydock.ResourceID) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.notes, id.Key())
	return nil
}

// want changes what is wanted: a group of one container of an image.
func (w *world) want(generation, image string, change ...func(*drydock.ContainerGroup)) {
	g := drydock.ContainerGroup{
		ID: groupID, Generation: generation, RestartPolicy: drydock.RestartAlways, Public: true,
		Ports:      []drydock.GroupPort{{Number: 80, Protocol: "tcp"}},
		Containers: []drydock.GroupContainer{{Name: "web", Image: image}},
	}
	for _, c := range change {
		c(&g)
	}
	w.mu.Lock()
	w.groups[g.ID.Key()] = g
	w.mu.Unlock()
	w.m.Sync(g.ID)
}

// started returns the next container that is started.
func (w *world) started() *process {
	w.t.Helper()
	select {
	case p := <-w.engine.started:
		return p
	case <-time.After(10 * time.Second):
		w.t.Fatal("no container is started")
		return nil
	}
}

// until waits for the group to be as wanted.
func (w *world) until(what string, is func(drydock.ContainerGroupView) bool) drydock.ContainerGroupView {
	w.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		v := w.m.View(groupID)
		if is(v) {
			return v
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("the group is not %s: %+v", what, v)
		}
	}
}

func (w *world) untilProvisioned(generation, state string) drydock.ContainerGroupView {
	w.t.Helper()
	return w.until(state, func(v drydock.ContainerGroupView) bool { return v.Generation == generation && v.Provisioning == state })
}
