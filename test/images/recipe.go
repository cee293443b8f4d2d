package images

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// recipeVersion is part of every key. Raise it when the code that makes layers
// or images changes what comes out.
const recipeVersion = "2"

// epoch is the time of everything in an image.
func epoch() time.Time { return time.Unix(0, 0).UTC() }

// recipe is what an image, or an index of several, is made of.
type recipe struct {
	images []imageRecipe
	index  bool
}

// imageRecipe is an image of one platform.
type imageRecipe struct {
	architecture string
	config       v1.Config
	layers       []layer
	// attests is set for an image that is an attestation of the first one.
	attests bool
}

// layer is one layer of an image.
type layer struct {
	name string
	tree tree
	// inputs name what late adds, exactly enough for a key.
	inputs []string
	// late adds what takes long to get, a download or a compilation. It is only
	// called when the image is built. work is a folder for its files, which are
	// deleted when the image is written. May be nil.
	late func(ctx context.Context, work string, t tree) error
}

// key returns a hash of everything that the recipe's images are made of.
func (r *recipe) key() (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "version %s index %t\n", recipeVersion, r.index)
	for _, image := range r.images {
		config, err := json.Marshal(image.config)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "image %s %t %s\n", image.architecture, image.attests, config)
		for _, l := range image.layers {
			fmt.Fprintf(h, "layer %q %q\n", l.name, l.inputs)
			if err := l.tree.sum(h); err != nil {
				return "", err
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// build makes the image. Its layers are files in work.
func (r *imageRecipe) build(ctx context.Context, work string) (v1.Image, error) {
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	var addenda []mutate.Addendum
	for _, l := range r.layers {
		built, err := l.build(ctx, work)
		if err != nil {
			return nil, err
		}
		addenda = append(addenda, mutate.Addendum{
			Layer:   built,
			History: v1.History{Created: v1.Time{Time: epoch()}, CreatedBy: "drydock test image: " + l.name},
		})
	}
	img, err := mutate.Append(base, addenda...)
	if err != nil {
		return nil, fmt.Errorf("adding layers: %w", err)
	}
	return withPlatform(img, "linux", r.architecture, r.config)
}

// withPlatform returns img for the platform and with the configuration.
func withPlatform(img v1.Image, os, architecture string, config v1.Config) (v1.Image, error) {
	file, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Config = os, architecture, config
	file.Created = v1.Time{Time: epoch()}
	return mutate.ConfigFile(img, file)
}

// build writes the layer to a file in work.
func (l *layer) build(ctx context.Context, work string) (v1.Layer, error) {
	if l.late != nil {
		if err := l.late(ctx, work, l.tree); err != nil {
			return nil, fmt.Errorf("getting what is in %s: %w", l.name, err)
		}
	}
	f, err := os.CreateTemp(work, "layer-*.tar.gz")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := writeGzip(f, l.tree); err != nil {
		return nil, fmt.Errorf("writing layer %s: %w", l.name, err)
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromFile(f.Name(), tarball.WithMediaType(types.OCILayer))
}

func writeGzip(w io.Writer, t tree) error {
	zw, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if err := t.writeTar(zw); err != nil {
		return err
	}
	return zw.Close()
}
