package images

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// multiRecipe is an index as BuildKit pushes it for two platforms, with an
// attestation of the first.
func multiRecipe(ctx context.Context) (*recipe, error) {
	own, err := busyboxRecipe(ctx)
	if err != nil {
		return nil, err
	}
	other := "arm64"
	if runtime.GOARCH == other {
		other = "amd64"
	}
	foreign := tree{}
	foreign.file("etc/platform", 0o644, "linux/"+other+"\n")
	return &recipe{index: true, images: []imageRecipe{
		own.images[0],
		{
			architecture: other,
			config:       v1.Config{Cmd: []string{"/bin/sh"}, Env: []string{defaultPath}},
			layers:       []layer{{name: "a file", tree: foreign}},
		},
		{architecture: "unknown", attests: true},
	}}, nil
}

func emptyIndex() v1.ImageIndex {
	return mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
}

// append adds the recipe's image or index to the layout at path.
func (r *recipe) append(ctx context.Context, path layout.Path, work string) error {
	index := emptyIndex()
	for i := range r.images {
		img, desc, err := r.images[i].describe(ctx, work, index)
		if err != nil {
			return err
		}
		if !r.index {
			return path.AppendImage(img, layout.WithPlatform(*desc.Platform))
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: desc})
	}
	return path.AppendIndex(index)
}

// describe builds the image and says how it is listed in an index, of which the
// first image is what an attestation is about.
func (r *imageRecipe) describe(ctx context.Context, work string, index v1.ImageIndex) (v1.Image, v1.Descriptor, error) {
	if r.attests {
		return attestation(index)
	}
	img, err := r.build(ctx, work)
	return img, v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: r.architecture}}, err
}

// attestation returns a manifest that holds an in-toto statement about the first
// image of index, and its descriptor, both in BuildKit's form.
func attestation(index v1.ImageIndex) (v1.Image, v1.Descriptor, error) {
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, v1.Descriptor{}, err
	}
	subject := manifest.Manifests[0].Digest
	statement, err := json.Marshal(map[string]any{
		"_type":         "https://in-toto.io/Statement/v0.1",
		"predicateType": "https://drydock.dev/test-image/v1",
		"subject":       []any{map[string]any{"name": "_", "digest": map[string]string{subject.Algorithm: subject.Hex}}},
		"predicate":     map[string]any{},
	})
	if err != nil {
		return nil, v1.Descriptor{}, err
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.Append(base, mutate.Addendum{Layer: static.NewLayer(statement, "application/vnd.in-toto+json")})
	if err != nil {
		return nil, v1.Descriptor{}, fmt.Errorf("adding the statement: %w", err)
	}
	img, err = withPlatform(img, "unknown", "unknown", v1.Config{})
	return img, v1.Descriptor{
		Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"},
		Annotations: map[string]string{
			"vnd.docker.reference.type":   "attestation-manifest",
			"vnd.docker.reference.digest": subject.String(),
		},
	}, err
}
