// Package oci serves registries: the OCI distribution API, ACR's data plane and
// the tokens for both. Blobs go through the distribution project's registry, one
// instance for each registry resource; manifests, tags, referrers and events are
// rows of a store, written in one transaction.
package oci
