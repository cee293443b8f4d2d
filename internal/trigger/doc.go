// Package trigger decides whether and when something starts a run. It is pure:
// it reads no clock and keeps nothing.
package trigger
