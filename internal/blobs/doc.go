// Package blobs serves what Drydock keeps in blobs, the uploaded contexts and
// the logs of runs, in the form of Azure Blob Storage: signed URLs, block blobs
// in one or several requests, append blobs that are read while they grow.
package blobs
