package drydock

// The kinds of events whose subject is a registry and whose data is a
// RegistryEvent.
const (
	// PushEvent: a manifest was pushed; with a tag, the tag now points at it. A
	// manifest that is pushed with several tags makes an event for each.
	PushEvent = "registry.push"
	// DeleteEvent: a manifest and all its tags are gone.
	DeleteEvent = "registry.delete"
	// UntagEvent: a tag is gone, its manifest is not.
	UntagEvent = "registry.untag"
)

// RegistryEvent tells of a change of what a registry holds. It is the data of
// an Event, as JSON with the names of these fields.
type RegistryEvent struct {
	Repository   string
	Tag          string // empty for a push by digest and for a deleted manifest
	Digest       string
	Previous     string // what the tag pointed at before; empty if it is new
	MediaType    string
	ArtifactType string
	Size         int64  // of the manifest in bytes
	Actor        string // object id of who did it
	Run          string // resource id of the run that did it; empty for anybody else
	Agent        string // user agent of the request; empty for none
}
