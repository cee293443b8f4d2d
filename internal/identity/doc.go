// Package identity lets runs, and the server on behalf of tasks, act as the
// identities that the tasks have: read the secrets of vaults and sign in to
// registries. What an identity may not do is an error that names the identity,
// the right that is missing and the command that gives it.
package identity
