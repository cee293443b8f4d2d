// Package queue hands queued runs to those that carry them out, and sees to it
// that each run ends once, whatever happens to them.
//
// The store is the queue: a run's state changes only by a compare-and-set in it,
// so any number of servers may work on the same runs. What is kept in memory is
// who waits, to be found without asking the store each time.
package queue
