package oci

import (
	"context"
	"encoding/json"

	"github.com/opencontainers/go-digest"

	"github.com/drydockhq/drydock"
)

// platform is the part of an image's config that lists show.
type platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
}

// maxConfig is how large a config may be to be looked into.
const maxConfig = 4 << 20

// addPlatform reads the platform of an image from its config, for the lists. A
// config that is not there is left for PutManifest to refuse.
func addPlatform(ctx context.Context, b *blobs, m *drydock.Manifest) {
	if m.ConfigType != dockerConfig && m.ConfigType != ociConfig || len(m.Blobs) == 0 {
		return
	}
	config := digest.Digest(m.Blobs[0])
	d, err := b.Stat(ctx, config)
	if err != nil || d.Size > maxConfig {
		return
	}
	text, err := b.Get(ctx, config)
	if err != nil {
		return
	}
	var p platform
	if json.Unmarshal(text, &p) == nil {
		m.OS, m.Architecture = p.OS, p.Architecture
	}
}
