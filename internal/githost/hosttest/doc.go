// Package hosttest has git hosts for tests: local servers that answer as the
// hosts' API documentation says, with tokens whose scopes count and webhooks that
// are signed; and the suite that every implementation of githost.Host passes.
package hosttest
