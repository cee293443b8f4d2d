package main

import "github.com/drydockhq/drydock/internal/engine/buildkit"

// serveAdvice says what users of a server, and its operator, do about what stands
// in the way of a run.
func serveAdvice() buildkit.Advice {
	return buildkit.Advice{
		Credentials:      "acr task credential add --login-server HOST",
		GroupCredentials: "container create --registry-login-server HOST --registry-username NAME --registry-password PASSWORD (imageRegistryCredentials), or --acr-identity",
		Mirror:           "the server's setting registries.mirrors",
		CA:               "the server's setting registries.cas (HOST=FILE)",
		Insecure:         "the server's setting registries.insecure (HOST)",
		Privileged:       "the server's setting runs.allow-privileged",
		Space:            "the server's operator can bound the cache with cache.max, and what is kept with retention.logs and retention.sources",
	}
}
