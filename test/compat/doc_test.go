// Package compat_test drives a whole server with what others wrote: Microsoft's
// SDKs for Go, and docker, skopeo and ORAS. What is served is read from docs/api.md and
// docs/graph.md, which are made from the server's tables of routes, so that an
// operation without a case fails the tests; so do those of vaults.
//
// Docker's part needs a Docker daemon, and that of the stock Azure CLI needs that:
// `make compat` gets both. They are behind the build tag docker.
package compat_test
