// Package engine carries out plans: it walks the steps of a task in their
// order, with delays, timeouts, retries and repeats, keeps the run's log in
// ACR's words, and leaves containers and images to an Executor.
package engine
