package instance

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/drydockhq/drydock"
)

// life is a container of a generation, over all of its restarts.
type life struct {
	d      *deployment
	spec   drydock.GroupContainer
	digest string // of the image, once it is pulled
	output *output

	mu       sync.Mutex
	current  drydock.ContainerState
	previous *drydock.ContainerState
	restarts int
	over     bool // it will not be started again
	ready    bool // what its probe says
	events   events
}

func newLife(d *deployment, c drydock.GroupContainer, folder string) *life {
	l := &life{d: d, spec: c}
	l.output = newOutput(filepath.Join(folder, c.Name+".log"), d.g.m.c.Now, func(err error) {
		d.g.m.c.Log.Warn("keeping the output of a container", "group", d.g.id.Name(), "container", c.Name, "error", err)
	})
	l.events.now = d.g.m.c.Now
	l.current = drydock.ContainerState{State: drydock.ContainerWaiting}
	return l
}

func (l *life) event(name, kind, message string) {
	l.mu.Lock()
	l.events.add(name, kind, message)
	l.mu.Unlock()
	l.d.g.notify()
}

// waitFor says why the container does not run.
func (l *life) waitFor(reason, detail string) {
	l.mu.Lock()
	if detail != "" {
		reason += ": " + detail
	}
	l.current = drydock.ContainerState{State: drydock.ContainerWaiting, Detail: reason}
	l.mu.Unlock()
	l.d.g.notify()
}

// run starts the container again and again, as the policy says.
func (l *life) run() {
	defer l.output.close()
	crashes := 0
	for first := true; !l.d.leaving(); first = false {
		if !first {
			l.mu.Lock()
			l.restarts++
			l.mu.Unlock()
		}
		began := l.d.g.m.c.Now()
		ok := l.live()
		if l.d.leaving() || !l.again(ok) {
			break
		}
		if l.d.g.m.c.Now().Sub(began) >= l.d.g.m.c.Timing.Forgiving {
			crashes = 0
		}
		if !l.rest(crashes) {
			break
		}
		crashes++
	}
	l.mu.Lock()
	l.over = true
	l.mu.Unlock()
	l.d.g.wakeUp()
	l.d.g.notify()
}

// rest waits before the restart after so many others, says so, and reports whether
// the container is wanted still.
func (l *life) rest(restarts int) bool {
	wait := l.backoff(restarts)
	if wait > 0 {
		l.mu.Lock()
		previous := l.current
		l.previous = &previous
		l.mu.Unlock()
		l.event("BackOff", "Warning", "Back-off restarting failed container")
		l.waitFor("CrashLoopBackOff", fmt.Sprintf("Back-off %s restarting container %s", wait, l.spec.Name))
	}
	return l.d.pause(wait)
}

// backoff is how long to wait before the restart after so many others.
func (l *life) backoff(restarts int) time.Duration {
	if restarts == 0 {
		return 0
	}
	return l.d.g.m.c.Timing.backoff(restarts - 1)
}

// again reports whether the policy wants a restart.
func (l *life) again(ok bool) bool {
	switch l.d.wanted.RestartPolicy {
	case drydock.RestartNever:
		return false
	case drydock.RestartOnFailure:
		return !ok
	}
	return true
}

// runOnce runs an init container until it succeeds, and reports whether it did.
func (l *life) runOnce() bool {
	defer l.output.close()
	for crashes := 0; !l.d.leaving(); crashes++ {
		if l.live() {
			l.d.setProblem("")
			return true
		}
		if l.d.leaving() || l.d.wanted.RestartPolicy == drydock.RestartNever {
			break
		}
		if crashes > 0 {
			l.d.setProblem("the init container " + l.spec.Name + " crashes: " + lastEnd(l.view()))
		}
		if !l.rest(crashes) {
			break
		}
		l.mu.Lock()
		l.restarts++
		l.mu.Unlock()
	}
	return false
}

// live is one life of the container; it reports whether that ended well.
func (l *life) live() bool {
	ctx, cancel := context.WithCancel(l.d.ctx)
	defer cancel()
	var probes sync.WaitGroup
	defer probes.Wait()
	defer cancel()
	started := l.d.g.m.c.Now()
	exit, err := l.d.pod.Run(ctx, RunSpec{GroupContainer: l.spec, Digest: l.digest, Output: l.output, Started: func() {
		started = l.d.g.m.c.Now()
		l.began(started)
		l.probe(ctx, &probes)
	}})
	l.output.flush()
	return l.died(started, exit, err)
}

func (l *life) began(at time.Time) {
	l.mu.Lock()
	if l.current.State == drydock.ContainerTerminated {
		previous := l.current
		l.previous = &previous
	}
	l.current = drydock.ContainerState{State: drydock.ContainerRunning, Started: at}
	l.ready = l.spec.Ready == nil
	l.mu.Unlock()
	l.event("Started", "Normal", "Started container "+l.spec.Name)
	if l.d.leaving() { // it began while all were told to end
		l.terminate()
	}
}

// died notes how a life ended.
func (l *life) died(started time.Time, exit Exit, err error) bool {
	end := drydock.ContainerState{State: drydock.ContainerTerminated, Started: started, Finished: l.d.g.m.c.Now(), ExitCode: exit.Status}
	var unstartable *drydock.ExitError
	switch {
	case l.d.ctx.Err() != nil:
		end.Detail = "Killed"
		end.ExitCode = 137
	case errors.As(err, &unstartable):
		end.Detail, end.ExitCode = "Error: "+unstartable.Reason, unstartable.Status
	case err != nil:
		end.Detail, end.ExitCode = "Error: "+err.Error(), 128
	case exit.OutOfMemory:
		end.Detail = "OOMKilled"
		if end.ExitCode == 0 {
			end.Detail = "Completed"
		}
	case exit.Status == 0:
		end.Detail = "Completed"
	default:
		end.Detail = "Error"
	}
	l.mu.Lock()
	l.current, l.ready = end, false
	l.mu.Unlock()
	if end.ExitCode != 0 {
		l.event("Killing", "Normal", fmt.Sprintf("Container %s ended with status %d: %s", l.spec.Name, end.ExitCode, end.Detail))
	}
	l.d.g.notify()
	return end.ExitCode == 0
}

// terminate asks the program to end.
func (l *life) terminate() {
	if err := l.d.pod.Signal(l.spec.Name, syscall.SIGTERM); err != nil {
		l.d.g.m.c.Log.Warn("stopping a container", "group", l.d.g.id.Name(), "container", l.spec.Name, "error", err)
	}
}

func (l *life) isOver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.over
}

func (l *life) isReady() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ready
}

func (l *life) view() drydock.ContainerView {
	l.mu.Lock()
	defer l.mu.Unlock()
	return drydock.ContainerView{Name: l.spec.Name, Current: l.current, Previous: l.previous, Restarts: l.restarts, Events: l.events.copy()}
}
