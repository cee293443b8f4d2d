package baseimage

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/drydockhq/drydock"
)

// Manifests reads manifests of whatever registry.
type Manifests interface {
	// Manifest returns the bytes of a manifest or index by its digest, in the
	// repository of an image.
	Manifest(ctx context.Context, image drydock.ImageName, digest string) ([]byte, error)
}

// readPlatforms is how long reading the indexes of one image may take: it is
// only for people to know.
const readPlatforms = 3 * time.Second

// addPlatforms notes of the images that decisions are about which platforms have
// changed, where their indexes can be read.
func (e *Evaluator) addPlatforms(ctx context.Context, decisions []decision) {
	if e.Manifests == nil {
		return
	}
	type change struct {
		image         drydock.ImageName
		before, after string
	}
	known := map[change][]string{}
	for i := range decisions {
		d := &decisions[i]
		if d.Action == cut {
			continue
		}
		d.Platforms = make([][]string, len(d.Task.Images))
		for j, image := range d.Task.Images {
			c := change{image.Now.Image, image.Base.Digest, image.Now.Digest}
			platforms, asked := known[c]
			if !asked && c.before != "" {
				platforms = e.platforms(ctx, c.image, c.before, c.after)
				known[c] = platforms
			}
			d.Platforms[j] = platforms
		}
	}
}

func (e *Evaluator) platforms(ctx context.Context, image drydock.ImageName, before, after string) []string {
	ctx, cancel := context.WithTimeout(ctx, readPlatforms)
	defer cancel()
	var lists [2]map[string]string
	for i, digest := range []string{before, after} {
		manifest, err := e.Manifests.Manifest(ctx, image, digest)
		if err != nil {
			e.Log.DebugContext(ctx, "finding out which platforms of an image have changed", "image", image.String(), "error", err)
			return nil
		}
		if lists[i] = platformsOf(manifest); lists[i] == nil {
			return nil
		}
	}
	var changed []string
	for platform, digest := range lists[1] {
		if lists[0][platform] != digest {
			changed = append(changed, platform)
		}
	}
	for platform := range lists[0] {
		if _, still := lists[1][platform]; !still {
			changed = append(changed, platform)
		}
	}
	slices.Sort(changed)
	return changed
}

// platformsOf returns the digests of an index by their platforms, nil for a
// manifest that is no index. What is for no platform, as an attestation, is left
// out.
func platformsOf(manifest []byte) map[string]string {
	var index struct {
		Manifests []struct {
			Digest   string
			Platform struct{ OS, Architecture, Variant string }
		}
	}
	if json.Unmarshal(manifest, &index) != nil || len(index.Manifests) == 0 {
		return nil
	}
	platforms := map[string]string{}
	for _, m := range index.Manifests {
		if m.Platform.OS == "" || m.Platform.OS == "unknown" {
			continue
		}
		platform := m.Platform.OS + "/" + m.Platform.Architecture
		if m.Platform.Variant != "" {
			platform += "/" + m.Platform.Variant
		}
		platforms[platform] += m.Digest
	}
	return platforms
}
