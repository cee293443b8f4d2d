// Package compat_test drives a whole server with what others wrote: Microsoft's
// SDKs for Go, and docker, skopeo and ORAS. What is served is read from docs/api.md, which
// is made from the server's table of routes, so that an operation without a case
// fails the tests.
//
// Docker's part needs a Docker daemon, which `make compat` gets; it is behind the
// build tag docker.
package compat_test
