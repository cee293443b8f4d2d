package buildkit

import (
	"cmp"
	"strings"
)

// Advice is how the users of a program change what stands in the way of a run: by
// its flags, or by settings of a server. HOST stands for a registry's host. Empty
// fields are those of `drydockd exec`.
type Advice struct {
	Credentials      string // that are given for a registry
	GroupCredentials string // the same for a container group
	Mirror           string // of a registry
	CA               string // that a registry's certificate is checked with
	Insecure         string // what allows plain HTTP and unknown certificates
	Privileged       string // what allows privileged steps
	Space            string // a sentence: how room is made on the disk
}

// complete fills in what is empty.
func (a Advice) complete() Advice {
	return Advice{
		Credentials:      cmp.Or(a.Credentials, "--credential or `docker login`"),
		GroupCredentials: cmp.Or(a.GroupCredentials, "the group's credentials"),
		Mirror:           cmp.Or(a.Mirror, "--mirror"),
		CA:               cmp.Or(a.CA, "--ca HOST=FILE"),
		Insecure:         cmp.Or(a.Insecure, "--insecure-registry HOST"),
		Privileged:       cmp.Or(a.Privileged, "--allow-privileged"),
		Space:            cmp.Or(a.Space, "`drydockd prune` frees the cache"),
	}
}

// fullDisk is the hint of what fails for want of space.
func (a Advice) fullDisk() string { return "the disk is full: " + a.Space }

// about puts a registry's host into a text.
func about(host, text string) string { return strings.ReplaceAll(text, "HOST", host) }
