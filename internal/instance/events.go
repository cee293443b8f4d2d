package instance

import (
	"slices"
	"time"

	"github.com/drydockhq/drydock"
)

// maxEvents bounds what is remembered of a group or a container.
const maxEvents = 40

// events are the newest things that happened, those that are the same as one.
// It is guarded by its owner's lock.
type events struct {
	now  func() time.Time
	list []drydock.InstanceEvent
}

func (e *events) add(name, kind, message string) {
	now := e.now()
	i := slices.IndexFunc(e.list, func(o drydock.InstanceEvent) bool { return o.Name == name && o.Message == message })
	event := drydock.InstanceEvent{Name: name, Type: kind, Message: message, First: now}
	if i >= 0 {
		event = e.list[i]
		e.list = slices.Delete(e.list, i, i+1)
	}
	event.Count++
	event.Last = now
	e.list = append(e.list, event)
	if over := len(e.list) - maxEvents; over > 0 {
		e.list = slices.Delete(e.list, 0, over)
	}
}

func (e *events) copy() []drydock.InstanceEvent { return slices.Clone(e.list) }
