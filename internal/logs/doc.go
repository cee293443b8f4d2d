// Package logs writes the log of a run: the lines that Drydock says itself and
// the output of the steps, line by line as it comes, with every secret masked.
package logs
