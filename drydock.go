// Package drydock holds the nouns of Drydock: tasks, steps, runs, images, and
// the errors that users meet. It imports the standard library only; every
// other package may import it.
package drydock
