package instance

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
)

// deployment is one generation of a group's containers.
type deployment struct {
	g      *group
	wanted drydock.ContainerGroup
	pod    Pod
	pinned map[string]string // digests that are known already, by image
	init   []*life
	lives  []*life

	ctx     context.Context // ends when the containers are killed
	cancel  context.CancelCauseFunc
	begun   context.Context // of what comes before the first container; ends with leave
	abandon context.CancelFunc
	leave   chan struct{} // closed when no container is to be started any more
	once    sync.Once
	work    sync.WaitGroup

	mu      sync.Mutex
	ready   bool   // it can be sent requests, or will never say so
	problem string // why it can't be started
	ended   bool   // init containers failed for good
}

// newDeployment makes the place for a generation. The caller begins it.
func newDeployment(g *group, wanted drydock.ContainerGroup, pinned map[string]string) (*deployment, error) {
	d := &deployment{g: g, wanted: wanted, pinned: pinned, leave: make(chan struct{})}
	// The containers end when they are told to, and not with the supervisor.
	d.ctx, d.cancel = context.WithCancelCause(context.WithoutCancel(g.ctx))
	d.begun, d.abandon = context.WithCancel(d.ctx)
	var err error
	spec := PodSpec{Host: hostName(wanted.ID.Name()), Credentials: wanted.Credentials, Login: g.m.loginOf(wanted), Volumes: wanted.Volumes}
	if spec.Hosts, err = g.m.hosts(g.ctx, wanted); err == nil {
		d.pod, err = g.network.NewPod(g.ctx, spec)
	}
	if err != nil {
		d.abandon()
		d.cancel(nil)
		return nil, err
	}
	folder := filepath.Join(g.m.folder(g.id), wanted.Generation)
	for _, c := range wanted.Init {
		d.init = append(d.init, newLife(d, c, folder))
	}
	for _, c := range wanted.Containers {
		d.lives = append(d.lives, newLife(d, c, folder))
	}
	return d, nil
}

// hostName is a group's name as the name of a host.
func hostName(group string) string { return group[:min(len(group), 63)] }

func (d *deployment) generation() string { return d.wanted.Generation }

// all returns the containers, those that come first too.
func (d *deployment) all() []*life { return slices.Concat(d.init, d.lives) }

// begin starts all that goes on in the background.
func (d *deployment) begin() {
	d.work.Go(func() {
		d.start()
		d.g.wakeUp()
	})
}

// start pulls, runs what comes first, and starts the containers.
func (d *deployment) start() {
	d.g.dropOtherLogs(d.wanted.Generation)
	if !d.pull() {
		return
	}
	for _, l := range d.init {
		if !l.runOnce() {
			d.giveUp("the init container " + l.spec.Name + " failed: " + lastEnd(l.view()))
			return
		}
	}
	for _, l := range d.lives {
		d.work.Go(l.run)
	}
	d.awaitReady()
}

// pull makes the images ready, for as long as that takes, and reports whether
// the deployment still goes on.
func (d *deployment) pull() bool {
	digests := map[string]string{}
	for _, l := range d.all() {
		image := l.spec.Image
		if digests[image] == "" {
			digest, ok := d.pullOne(l, image)
			if !ok {
				return false
			}
			digests[image] = digest
		}
		l.digest = digests[image]
	}
	if err := d.g.pulled(d.wanted.Generation, digests); err != nil && !d.leaving() {
		d.g.m.c.Log.ErrorContext(d.ctx, "noting the images of a container group", "group", d.g.id.Name(), "error", err)
	}
	return true
}

func (d *deployment) pullOne(l *life, image string) (digest string, ok bool) {
	for attempt := 0; ; attempt++ {
		l.event("Pulling", "Normal", fmt.Sprintf("pulling image %q", image))
		digest, err := d.pod.Pull(d.begun, image, d.pinned[image])
		if err == nil {
			l.event("Pulled", "Normal", fmt.Sprintf("Successfully pulled image %q", image))
			d.setProblem("")
			return digest, true
		}
		if d.leaving() {
			return "", false
		}
		l.event("Failed", "Warning", err.Error())
		l.waitFor("ImagePullBackOff", err.Error())
		if attempt > 0 {
			d.setProblem(err.Error())
		}
		if !d.pause(d.g.m.c.Timing.backoff(attempt)) {
			return "", false
		}
	}
}

// pause waits, and reports whether the deployment still goes on.
func (d *deployment) pause(t time.Duration) bool {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-d.leave:
	case <-d.ctx.Done():
	}
	return false
}

func (d *deployment) leaving() bool {
	select {
	case <-d.leave:
		return true
	default:
		return d.ctx.Err() != nil
	}
}

func (d *deployment) setProblem(text string) {
	d.mu.Lock()
	changed := d.problem != text
	d.problem = text
	d.mu.Unlock()
	if changed {
		d.g.notify()
	}
}

// giveUp ends a deployment that can't go on.
func (d *deployment) giveUp(why string) {
	d.mu.Lock()
	d.problem, d.ended = why, true
	d.mu.Unlock()
	d.g.notify()
}

// canServe reports whether it is time to send the group's requests here.
func (d *deployment) canServe() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ready
}

// stop asks the containers to end, kills those that have not within a time, and
// takes away what the deployment had.
func (d *deployment) stop(grace time.Duration) {
	d.once.Do(func() {
		close(d.leave)
		d.abandon()
		for _, l := range d.all() {
			l.terminate()
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			d.work.Wait()
		}()
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-ended:
		case <-timer.C:
		}
		d.cancel(errClosing)
		if err := d.pod.Close(); err != nil {
			d.g.m.c.Log.Error("closing the containers of a group", "group", d.g.id.Name(), "error", err)
		}
		<-ended
	})
}

// kill is stop without patience.
func (d *deployment) kill() { d.stop(0) }
