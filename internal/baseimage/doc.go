// Package baseimage rebuilds images when what they are built from changes.
//
// It keeps an index of what each task is built from and what it pushes, learnt
// from the builds themselves. A task is due when a tag that it is built from
// points at another digest than its newest run stands on. That is never stored:
// it is computed from what tags point at and what runs stand on, whenever one of
// the two changes and at every start. So nothing is lost that happened while
// nobody looked, and the same digest again does nothing.
//
// A Follower brings events into the index; an Evaluator makes runs of what is
// due, in the order in which tasks build on one another.
package baseimage
