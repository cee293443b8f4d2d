// Oras pushes files to a registry as an artifact and pulls them, as the oras
// client does: the program of the oras test image.
//
//	oras push [--plain-http] REFERENCE FILE[:MEDIATYPE]...
//	oras pull [--plain-http] REFERENCE
//
// Credentials come from the Docker configuration; there is no login.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/file"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	if len(args) == 0 {
		return errors.New("usage: oras push|pull [--plain-http] REFERENCE [FILE[:MEDIATYPE]...]")
	}
	flags := flag.NewFlagSet("oras "+args[0], flag.ContinueOnError)
	plain := flags.Bool("plain-http", false, "use HTTP")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	repository, err := open(flags.Arg(0), *plain)
	if err != nil {
		return err
	}
	files, err := file.New(".")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	switch args[0] {
	case "push":
		return push(ctx, files, repository, flags.Args()[1:])
	case "pull":
		return pull(ctx, files, repository)
	}
	return fmt.Errorf("unknown command %q", args[0])
}

// open returns the repository of a reference, with the credentials of the Docker
// configuration.
func open(reference string, plain bool) (*remote.Repository, error) {
	repository, err := remote.NewRepository(reference)
	if err != nil {
		return nil, err
	}
	store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
	if err != nil {
		return nil, err
	}
	repository.PlainHTTP = plain
	repository.Client = &auth.Client{Credential: credentials.Credential(store)}
	return repository, nil
}

func push(ctx context.Context, files *file.Store, to *remote.Repository, names []string) error {
	var layers []ocispec.Descriptor
	for _, name := range names {
		name, mediaType, _ := strings.Cut(name, ":")
		layer, err := files.Add(ctx, name, mediaType, "")
		if err != nil {
			return err
		}
		layers = append(layers, layer)
	}
	manifest, err := oras.PackManifest(ctx, files, oras.PackManifestVersion1_1, "application/vnd.unknown.artifact.v1",
		oras.PackManifestOptions{Layers: layers})
	if err != nil {
		return err
	}
	tag := to.Reference.Reference
	if err := files.Tag(ctx, manifest, tag); err != nil {
		return err
	}
	if _, err := oras.Copy(ctx, files, tag, to, tag, oras.DefaultCopyOptions); err != nil {
		return err
	}
	fmt.Printf("Pushed [registry] %s\nDigest: %s\n", to.Reference, manifest.Digest)
	return nil
}

func pull(ctx context.Context, files *file.Store, from *remote.Repository) error {
	tag := from.Reference.Reference
	manifest, err := oras.Copy(ctx, from, tag, files, tag, oras.DefaultCopyOptions)
	if err != nil {
		return err
	}
	fmt.Printf("Pulled [registry] %s\nDigest: %s\n", from.Reference, manifest.Digest)
	return nil
}
