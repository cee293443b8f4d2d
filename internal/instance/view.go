package instance

import (
	"net/netip"

	"github.com/drydockhq/drydock"
)

// view returns how the group stands: as its newest generation does.
func (g *group) view() drydock.ContainerGroupView {
	g.mu.Lock()
	latest, published, wanted := g.latest(), g.next == nil, g.wanted
	v := drydock.ContainerGroupView{Address: g.notes.Address, Problem: g.problem, Events: g.events.copy()}
	g.mu.Unlock()
	if !wanted.Public {
		v.Address = netip.Addr{}
	}
	switch {
	case wanted.Stopped && latest == nil:
		v.Generation, v.Provisioning, v.State = wanted.Generation, drydock.GroupSucceeded, drydock.GroupStopped
		return v
	case latest == nil:
		v.Provisioning, v.State = drydock.GroupPending, drydock.GroupPending
	default:
		latest.show(&v, published)
	}
	if v.Problem != "" && v.Provisioning != drydock.GroupSucceeded {
		v.Provisioning = drydock.GroupFailed
	}
	return v
}

// show fills in what a deployment knows; published says whether the group's
// requests go to it.
func (d *deployment) show(v *drydock.ContainerGroupView, published bool) {
	v.Generation = d.generation()
	d.mu.Lock()
	ready, ended := d.ready, d.ended
	if d.problem != "" {
		v.Problem = d.problem
	}
	d.mu.Unlock()
	running, over, failed := false, true, ended
	for _, l := range d.init {
		v.Init = append(v.Init, l.view())
	}
	for _, l := range d.lives {
		c := l.view()
		v.Containers = append(v.Containers, c)
		running = running || c.Current.State == drydock.ContainerRunning
		if !l.isOver() {
			over = false
		} else if c.Current.ExitCode != 0 {
			failed = true
		}
	}
	switch {
	case ended, over && failed:
		v.State = drydock.GroupFailed
	case over:
		v.State = drydock.GroupSucceeded
	case running, ready:
		v.State = drydock.GroupRunning
	default:
		v.State = drydock.GroupPending
	}
	v.Provisioning = drydock.GroupCreating
	if ready && published {
		v.Provisioning, v.Problem = drydock.GroupSucceeded, ""
	}
}
