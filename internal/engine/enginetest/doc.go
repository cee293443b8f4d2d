// Package enginetest helps to test what runs plans: Fake is an executor
// without containers, and Run is the suite of behaviours that every executor
// must show.
package enginetest
