package instance

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// awaitReady waits until the containers can be sent requests: all run, those
// with a probe are well, and all of the group's TCP ports accept connections.
// A generation that runs without ever doing so counts as ready after a while;
// one that crashes never does.
func (d *deployment) awaitReady() {
	timing := d.g.m.c.Timing
	patience := time.NewTimer(timing.Ready)
	defer patience.Stop()
	look := time.NewTicker(timing.Look)
	defer look.Stop()
	late := false
	for {
		crashes, steady, running, over := d.census()
		switch {
		case over, running && (late && steady || d.accepts()):
			d.setReady()
			return
		case crashes != "":
			d.setProblem(crashes)
		}
		select {
		case <-look.C:
		case <-patience.C:
			late = true
		case <-d.leave:
			return
		case <-d.ctx.Done():
			return
		}
	}
}

// census says which container ended again and again, if any, and reports whether
// none ever ended, whether all run, and whether none will ever run again.
func (d *deployment) census() (crashes string, steady, running, over bool) {
	steady, running, over = true, true, true
	for _, l := range d.lives {
		v := l.view()
		if crashes == "" && v.Restarts > 1 && v.Current.State != drydock.ContainerRunning {
			crashes = "container " + v.Name + " " + again(v)
		}
		steady = steady && v.Restarts == 0
		running = running && (v.Current.State == drydock.ContainerRunning && l.isReady() || l.isOver())
		over = over && l.isOver()
	}
	return crashes, steady, running, over
}

// again says of a container what it does again and again.
func again(v drydock.ContainerView) string {
	if end := lastState(v); end.State == drydock.ContainerTerminated && end.ExitCode == 0 {
		return "ends again and again, with status 0: set the restart policy to OnFailure or Never if it is meant to end"
	}
	return "crashes: " + lastEnd(v)
}

// lastState is as what a container ended the last time.
func lastState(v drydock.ContainerView) drydock.ContainerState {
	if v.Current.State != drydock.ContainerTerminated && v.Previous != nil {
		return *v.Previous
	}
	return v.Current
}

// lastEnd says how a container ended the last time.
func lastEnd(v drydock.ContainerView) string {
	end := lastState(v)
	text := fmt.Sprintf("it ended with status %d", end.ExitCode)
	if why := strings.TrimPrefix(strings.TrimPrefix(end.Detail, "Error"), ": "); why != "" {
		text += ": " + why
	}
	return text
}

// accepts reports whether all TCP ports of the group accept connections.
func (d *deployment) accepts() bool {
	ctx, cancel := context.WithTimeout(d.ctx, time.Second)
	defer cancel()
	for _, p := range d.wanted.Ports {
		if p.Protocol != "tcp" {
			continue
		}
		conn, err := d.pod.Dial(ctx, "tcp", p.Number)
		if err != nil {
			return false
		}
		_ = conn.Close()
	}
	return true
}

func (d *deployment) setReady() {
	d.mu.Lock()
	d.ready, d.problem = true, ""
	d.mu.Unlock()
	d.g.wakeUp()
	d.g.notify()
}
