package buildkit_test

import (
	"net/url"

	"github.com/drydockhq/drydock/internal/engine/buildkit"
)

// mirror makes address answer for a registry.
func mirror(host, address string) buildkit.Registries {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return buildkit.Registries{Mirrors: map[string][]*url.URL{host: {u}}}
}
