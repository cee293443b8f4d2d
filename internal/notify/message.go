package notify

import (
	"time"

	"github.com/drydockhq/drydock"
)

// message is what a webhook is told, in the form of ACR's; Text and Run are
// ours.
type message struct {
	ID        string   `json:"id"`
	Timestamp string   `json:"timestamp"`
	Action    string   `json:"action"`
	Text      string   `json:"text,omitempty"` // a sentence; what chats show of a message
	Target    *target  `json:"target,omitempty"`
	Request   *request `json:"request,omitempty"`
	Run       *run     `json:"run,omitempty"`
}

// target is the image that a message is about.
type target struct {
	MediaType  string `json:"mediaType,omitempty"`
	Size       int64  `json:"size,omitempty"`
	Digest     string `json:"digest,omitempty"`
	Length     int64  `json:"length,omitempty"` // the same as Size
	Repository string `json:"repository,omitempty"`
	Tag        string `json:"tag,omitempty"`
}

// request is the one that led to what a message is about.
type request struct {
	ID        string `json:"id,omitempty"`
	Host      string `json:"host,omitempty"` // login server of the registry
	Method    string `json:"method,omitempty"`
	UserAgent string `json:"useragent,omitempty"`
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// imageMessage tells of a push, or of a deletion.
func imageMessage(e drydock.Event, change drydock.RegistryEvent, host string) message {
	m := message{
		Timestamp: stamp(e.Time), Action: drydock.PushAction,
		Target:  &target{MediaType: change.MediaType, Digest: change.Digest, Repository: change.Repository},
		Request: &request{ID: e.ID, Host: host, Method: "PUT", UserAgent: change.Agent},
	}
	if e.Kind == drydock.DeleteEvent {
		m.Action, m.Request.Method = drydock.DeleteAction, "DELETE"
		return m
	}
	m.Target.Size, m.Target.Length, m.Target.Tag = change.Size, change.Size, change.Tag
	return m
}
