// Package runner carries out one run: it fetches the source, plans the task,
// gives the plan to the engine and returns what became of it.
package runner
