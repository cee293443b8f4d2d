// Package instance keeps container groups as they are wanted: a supervisor for
// each group pulls its images, starts its containers again when they end,
// replaces them with next to no gap, and remembers what they said.
//
// What is wanted is in the store of resources and nowhere else. The containers
// end with the server, however that ends, and are started anew with it: from the
// same digests, at the same address.
package instance
