// Mkimages makes test images and writes them as OCI layouts, or pushes them:
//
//	go run ./test/images/cmd/mkimages [-o DIR] [-push HOST] [NAME[=REPOSITORY[:TAG]]...]
//
// Without a name it makes all. With neither -o nor -push it only fills the cache.
// It prints name, digest and what it did, a line an image.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/drydockhq/drydock/test/images"
)

func main() {
	out := flag.String("o", "", "folder to write an OCI layout per image to")
	host := flag.String("push", "", "registry to push to, as host:port")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	names := flag.Args()
	if len(names) == 0 {
		names = images.Names()
	}
	if err := run(ctx, names, *out, *host); err != nil {
		fmt.Fprintln(os.Stderr, "mkimages:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, names []string, out, host string) error {
	store, err := images.Default()
	if err != nil {
		return err
	}
	for _, n := range names {
		name, _, _ := strings.Cut(n, "=")
		cached, err := store.Layout(ctx, name)
		if err != nil {
			return err
		}
		did := cached
		if out != "" {
			did = filepath.Join(out, strings.ReplaceAll(name, ":", "_"))
			if err := copyLayout(cached, did); err != nil {
				return fmt.Errorf("writing %s: %w", did, err)
			}
		}
		if host != "" {
			if err := store.Push(ctx, host, []string{n}); err != nil {
				return err
			}
			did = "pushed to " + host
		}
		digest, err := digestOf(cached)
		if err != nil {
			return err
		}
		fmt.Printf("%s %s %s\n", name, digest, did)
	}
	return nil
}

// copyLayout writes the layout in cached to dir, in place of a layout that is
// there. Other folders it leaves alone.
func copyLayout(cached, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "oci-layout")); err != nil && len(entries) > 0 {
		return errors.New("the folder holds other things than an OCI layout")
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.CopyFS(dir, os.DirFS(cached))
}

func digestOf(dir string) (string, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return "", err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return "", err
	}
	return manifest.Manifests[0].Digest.String(), nil
}
