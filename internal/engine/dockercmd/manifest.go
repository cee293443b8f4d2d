package dockercmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/pflag"
)

// manifestCommands returns the commands of `docker manifest`.
func manifestCommands() []command {
	return []command{
		{name: "create", usage: "[OPTIONS] MANIFEST_LIST MANIFEST [MANIFEST...]", run: (*call).manifestCreate},
		{name: "annotate", usage: "[OPTIONS] MANIFEST_LIST MANIFEST", run: (*call).manifestAnnotate},
		{name: "push", usage: "[OPTIONS] MANIFEST_LIST", run: (*call).manifestPush},
		{name: "inspect", usage: "[OPTIONS] [MANIFEST_LIST] MANIFEST", run: (*call).manifestInspect},
		{name: "rm", usage: "MANIFEST_LIST [MANIFEST_LIST...]", run: (*call).manifestRemove},
	}
}

// manifestFlags returns a flag set with the flag that all of them have.
func (k *call) manifestFlags() *pflag.FlagSet {
	flags := k.flags()
	flags.Bool("insecure", false, "Accepted without meaning: which registries speak plain HTTP is set for the run")
	return flags
}

// manifestCreate carries out `docker manifest create`.
func (k *call) manifestCreate(args []string) error {
	flags := k.manifestFlags()
	amend := flags.BoolP("amend", "a", false, "Amend an existing manifest list")
	args, err := k.parse(flags, args, 2, -1)
	if err != nil {
		return err
	}
	target, err := parseTarget(args[0])
	if err != nil {
		return fmt.Errorf("parsing the name of the manifest list: %w", err)
	}
	var entries []listEntry
	for _, arg := range args[1:] {
		entry, err := k.listEntry(arg)
		if err != nil {
			return err
		}
		entries = append(entries, entry)
	}
	err = k.client.update(target.String(), func(l *manifestList) error {
		if len(l.entries) > 0 && !*amend {
			return errors.New("refusing to amend an existing manifest list with no --amend flag")
		}
		for _, e := range entries {
			l.put(e)
		}
		return nil
	})
	if err != nil {
		return err
	}
	k.printf("Created manifest list %s\n", target)
	return nil
}

// listEntry reads the image of a name and its platform.
func (k *call) listEntry(arg string) (listEntry, error) {
	named, err := parseName(arg)
	if err != nil {
		return listEntry{}, err
	}
	desc, raw, err := k.manifest(named)
	if err != nil {
		return listEntry{}, err
	}
	if isIndex(desc.MediaType) {
		return listEntry{}, fmt.Errorf("%s is a manifest list: name its images, or use docker buildx imagetools create", named)
	}
	desc.Platform, err = k.platform(named.String(), raw)
	return listEntry{name: named.String(), desc: desc, raw: raw}, err
}

// manifest reads the manifest or index of a name.
func (k *call) manifest(named reference.Named) (ocispec.Descriptor, []byte, error) {
	desc, raw, err := k.store.Manifest(k.ctx, named.String())
	if errors.Is(err, ErrNotFound) {
		return desc, nil, &missingError{"no such manifest: " + named.String()}
	}
	// Only what identifies the content belongs into a list.
	return ocispec.Descriptor{MediaType: desc.MediaType, Digest: desc.Digest, Size: desc.Size}, raw, err
}

// platform returns the platform that the config of a manifest names, nil when it
// names none.
func (k *call) platform(name string, manifest []byte) (*ocispec.Platform, error) {
	config, err := k.imageConfig(name, manifest)
	if err != nil {
		return nil, err
	}
	if config.OS == "" && config.Architecture == "" {
		return nil, nil
	}
	return &config.Platform, nil
}

// imageConfig reads the config of a manifest.
func (k *call) imageConfig(name string, manifest []byte) (ocispec.Image, error) {
	var m ocispec.Manifest
	var config ocispec.Image
	if err := json.Unmarshal(manifest, &m); err != nil {
		return config, fmt.Errorf("reading the manifest of %s: %w", name, err)
	}
	data, err := k.store.Blob(k.ctx, name, m.Config)
	if err != nil {
		return config, fmt.Errorf("reading the config of %s: %w", name, err)
	}
	if err := json.Unmarshal(data, &config); err != nil {
		return config, fmt.Errorf("reading the config of %s: %w", name, err)
	}
	return config, nil
}

// manifestAnnotate carries out `docker manifest annotate`.
func (k *call) manifestAnnotate(args []string) error {
	flags := k.manifestFlags()
	var set ocispec.Platform
	flags.StringVar(&set.OS, "os", "", "Set operating system")
	flags.StringVar(&set.Architecture, "arch", "", "Set architecture")
	flags.StringVar(&set.Variant, "variant", "", "Set architecture variant")
	flags.StringVar(&set.OSVersion, "os-version", "", "Set operating system version")
	flags.StringSliceVar(&set.OSFeatures, "os-features", nil, "Set operating system feature")
	args, err := k.parse(flags, args, 2, 2)
	if err != nil {
		return err
	}
	target, err := parseTarget(args[0])
	if err != nil {
		return fmt.Errorf("parsing the name of the manifest list: %w", err)
	}
	named, err := parseName(args[1])
	if err != nil {
		return err
	}
	return k.client.update(target.String(), func(l *manifestList) error {
		i := l.index(named.String())
		if i < 0 {
			return fmt.Errorf("manifest for image %s does not exist in %s", args[1], args[0])
		}
		p, err := annotated(l.entries[i].desc.Platform, set)
		l.entries[i].desc.Platform = p
		return err
	})
}

// annotated returns a platform with the fields of set that are not empty.
func annotated(platform *ocispec.Platform, set ocispec.Platform) (*ocispec.Platform, error) {
	p := ocispec.Platform{}
	if platform != nil {
		p = *platform
	}
	for _, f := range []struct {
		to   *string
		from string
	}{{&p.OS, set.OS}, {&p.Architecture, set.Architecture}, {&p.Variant, set.Variant}, {&p.OSVersion, set.OSVersion}} {
		if f.from != "" {
			*f.to = f.from
		}
	}
	p.OSFeatures = slices.Clone(p.OSFeatures)
	for _, f := range set.OSFeatures {
		if !slices.Contains(p.OSFeatures, f) {
			p.OSFeatures = append(p.OSFeatures, f)
		}
	}
	if p.OS == "" || p.Architecture == "" {
		return nil, fmt.Errorf("manifest entry for image has unsupported os/arch combination: %s/%s", p.OS, p.Architecture)
	}
	return &p, nil
}

// manifestPush carries out `docker manifest push`.
func (k *call) manifestPush(args []string) error {
	flags := k.manifestFlags()
	purge := flags.BoolP("purge", "p", false, "Forget the manifest list after the push")
	args, err := k.parse(flags, args, 1, 1)
	if err != nil {
		return err
	}
	target, err := parseTarget(args[0])
	if err != nil {
		return err
	}
	list := k.client.list(target.String())
	if list == nil {
		return &missingError{fmt.Sprintf("%s not found: docker manifest create makes it", target)}
	}
	mediaType, data, err := list.encode()
	if err != nil {
		return err
	}
	from := map[digest.Digest]string{}
	for _, e := range list.entries {
		from[e.desc.Digest] = e.name
	}
	sum, err := k.store.PutManifest(k.ctx, PutManifest{Name: target.String(), MediaType: mediaType, Data: data, From: from})
	if err != nil {
		return err
	}
	k.pushedRefs(target, list)
	k.printf("%s\n", sum)
	if *purge {
		k.client.drop(target.String())
	}
	return nil
}

// pushedRefs prints which images came from another repository.
func (k *call) pushedRefs(target reference.Named, list *manifestList) {
	for _, e := range list.entries {
		if named, err := reference.ParseNormalizedNamed(e.name); err != nil || named.Name() != target.Name() {
			k.printf("Pushed ref %s@%s with digest: %s\n", target.Name(), e.desc.Digest, e.desc.Digest)
		}
	}
}

// manifestRemove carries out `docker manifest rm`.
func (k *call) manifestRemove(args []string) error {
	args, err := k.parse(k.flags(), args, 1, -1)
	if err != nil {
		return err
	}
	var errs []error
	for _, arg := range args {
		target, err := parseTarget(arg)
		if err == nil && !k.client.drop(target.String()) {
			err = &missingError{"No such manifest: " + target.String()}
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
