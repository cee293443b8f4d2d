package dockercmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// imagetoolsCommands returns the commands of `docker buildx imagetools`.
func imagetoolsCommands() []command {
	return []command{
		{name: "create", usage: "[OPTIONS] SOURCE [SOURCE...]", run: (*call).imagetoolsCreate},
		{name: "inspect", usage: "[OPTIONS] NAME", run: (*call).imagetoolsInspect},
	}
}

// imagetoolsCreate carries out `docker buildx imagetools create`: one source is
// copied byte for byte, several become an index of all their images.
func (k *call) imagetoolsCreate(args []string) error {
	flags := k.flags()
	tags := flags.StringArrayP("tag", "t", nil, "Set reference for new image")
	extend := flags.Bool("append", false, "Append to existing manifest")
	dry := flags.Bool("dry-run", false, "Show final image instead of pushing")
	args, err := k.parse(flags, args, 1, -1)
	if err != nil {
		return err
	}
	if len(*tags) == 0 && (!*dry || *extend) {
		return errors.New("can't push without --tag")
	}
	if *extend {
		args = append([]string{(*tags)[0]}, args...)
	}
	put, err := k.combine(args)
	if err != nil {
		return err
	}
	if *dry {
		k.printf("%s\n", put.Data)
		return nil
	}
	for _, t := range *tags {
		target, err := parseTarget(t)
		if err != nil {
			return err
		}
		put.Name = target.String()
		sum, err := k.store.PutManifest(k.ctx, put)
		if err != nil {
			return err
		}
		k.errorf("pushed %s to %s\n", sum, target)
	}
	return nil
}

// combine makes one manifest or index of the sources.
func (k *call) combine(args []string) (PutManifest, error) {
	put := PutManifest{From: map[digest.Digest]string{}}
	list := &manifestList{}
	for _, arg := range args {
		named, err := parseName(arg)
		if err != nil {
			return put, err
		}
		desc, raw, err := k.manifest(named)
		if err != nil {
			return put, err
		}
		put.MediaType, put.Data = desc.MediaType, raw
		put.From[desc.Digest] = named.String()
		if len(args) == 1 && !isIndex(desc.MediaType) {
			return put, nil // maybe no image at all: its config is nobody's business
		}
		entries, err := k.entries(named, desc, raw)
		if err != nil {
			return put, err
		}
		for _, e := range entries {
			put.From[e.desc.Digest] = e.name
			list.add(e)
		}
	}
	if len(args) == 1 {
		return put, nil
	}
	var err error
	put.MediaType, put.Data, err = list.encodeAll()
	return put, err
}

// entries returns the images of a manifest or index.
func (k *call) entries(named reference.Named, desc ocispec.Descriptor, raw []byte) ([]listEntry, error) {
	if !isIndex(desc.MediaType) {
		platform, err := k.platform(named.String(), raw)
		desc.Platform = platform
		return []listEntry{{name: named.String(), desc: desc, raw: raw}}, err
	}
	var index ocispec.Index
	if err := json.Unmarshal(raw, &index); err != nil {
		return nil, fmt.Errorf("reading the index of %s: %w", named, err)
	}
	var entries []listEntry
	for _, d := range index.Manifests {
		child, err := reference.WithDigest(reference.TrimNamed(named), d.Digest)
		if err != nil {
			return nil, fmt.Errorf("reading the index of %s: %w", named, err)
		}
		entries = append(entries, listEntry{name: child.String(), desc: d})
	}
	return entries, nil
}

// add appends an entry unless the same content is there already.
func (l *manifestList) add(e listEntry) {
	same := func(o listEntry) bool { return o.desc.Digest == e.desc.Digest }
	if !slices.ContainsFunc(l.entries, same) {
		l.entries = append(l.entries, e)
	}
}

// imagetoolsInspect carries out `docker buildx imagetools inspect`.
func (k *call) imagetoolsInspect(args []string) error {
	flags := k.flags()
	raw := flags.Bool("raw", false, "Show original, unformatted JSON manifest")
	format := flags.String("format", "", "Format the output using the given Go template")
	args, err := k.parse(flags, args, 1, 1)
	if err != nil {
		return err
	}
	named, err := parseName(args[0])
	if err != nil {
		return err
	}
	desc, data, err := k.manifest(named)
	switch {
	case err != nil:
		return err
	case *raw:
		k.printf("%s", data)
		return nil
	case *format != "":
		return k.formatImage(*format, named, desc, data)
	}
	k.printf("Name:      %s\nMediaType: %s\nDigest:    %s\n", named, desc.MediaType, desc.Digest)
	if !isIndex(desc.MediaType) {
		return nil
	}
	entries, err := k.entries(named, desc, data)
	if err != nil {
		return err
	}
	k.printf("\nManifests:\n")
	for _, e := range entries {
		k.printf("  Name:      %s\n  MediaType: %s\n", e.name, e.desc.MediaType)
		if p := e.desc.Platform; p != nil {
			k.printf("  Platform:  %s\n", platformString(*p))
		}
		k.printf("\n")
	}
	return nil
}

// formatImage prints {{.Name}}, {{.Manifest}} and, for one image, {{.Image}}.
func (k *call) formatImage(format string, named reference.Named, desc ocispec.Descriptor, data []byte) error {
	tmpl, err := parseTemplate(format)
	if err != nil {
		return err
	}
	type manifestView struct {
		SchemaVersion int                  `json:"schemaVersion"`
		MediaType     string               `json:"mediaType"`
		Digest        digest.Digest        `json:"digest"`
		Size          int64                `json:"size"`
		Manifests     []ocispec.Descriptor `json:"manifests,omitempty"`
	}
	view := struct {
		Name     string        `json:"name"`
		Manifest manifestView  `json:"manifest"`
		Image    ocispec.Image `json:"image,omitzero"`
	}{Name: named.String(), Manifest: manifestView{SchemaVersion: 2, MediaType: desc.MediaType, Digest: desc.Digest, Size: desc.Size}}
	if isIndex(desc.MediaType) {
		var index ocispec.Index
		if err := json.Unmarshal(data, &index); err != nil {
			return fmt.Errorf("reading the index of %s: %w", named, err)
		}
		view.Manifest.Manifests = index.Manifests
	} else if view.Image, err = k.imageConfig(named.String(), data); err != nil {
		return err
	}
	text, err := execute(tmpl, view)
	if err != nil {
		return fmt.Errorf("template parsing error: %w", err)
	}
	k.printf("%s\n", text)
	return nil
}

// platformString writes a platform as os/architecture[/variant].
func platformString(p ocispec.Platform) string {
	s := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	return s
}
