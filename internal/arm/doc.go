// Package arm is Azure's resource manager as far as Drydock has one: it turns
// REST requests into the nouns of Drydock and back. docs/api.md lists what it
// serves.
package arm
