// Package walkthrough plays what Azure's documentation tells of public images: a
// public registry, a gate that tests what it has, and a team whose page is built
// on what has passed. The commands are those of a script, for the Azure CLI or for
// drydock under its name; all that a person does between them is done here, by
// pushes to a git host, and what came of it is checked.
package walkthrough
