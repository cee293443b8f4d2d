package drydock

import (
	"regexp"
	"time"
)

// Tag is a name for a manifest in a repository.
type Tag struct {
	Registry   ResourceID
	Repository string
	Name       string
	Digest     string
	Attributes Attributes
	Created    time.Time
	Updated    time.Time // when it last was pushed
}

var tagName = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)

// ValidTag reports whether the OCI distribution specification allows the name
// for a tag.
func ValidTag(name string) bool { return tagName.MatchString(name) }

// Order is how a list of manifests or tags is ordered.
type Order string

// The orders.
const (
	ByName    Order = ""         // tags by name, manifests by digest
	OldestTop Order = "timeasc"  // by when they were last pushed
	NewestTop Order = "timedesc" // by when they were last pushed
)

// TagFilter selects tags of one repository; empty fields select all.
type TagFilter struct {
	Registry   ResourceID
	Repository string
	Name       string
	Digest     string
	Hidden     bool // also those that may not be listed
	Order      Order
	Page       Page
}
