package dockercmd

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// manifestJSON is what `docker manifest inspect -v` says of an image.
type manifestJSON struct {
	Ref              string
	Descriptor       ocispec.Descriptor
	Raw              []byte
	SchemaV2Manifest json.RawMessage `json:",omitempty"`
	OCIManifest      json.RawMessage `json:",omitempty"`
}

// manifestInspect carries out `docker manifest inspect`.
func (k *call) manifestInspect(args []string) error {
	flags := k.manifestFlags()
	verbose := flags.BoolP("verbose", "v", false, "Output layers and platform too")
	args, err := k.parse(flags, args, 1, 2)
	if err != nil {
		return err
	}
	named, err := parseName(args[len(args)-1])
	if err != nil {
		return err
	}
	if len(args) == 2 {
		return k.inspectEntry(args[0], named, *verbose)
	}
	if list := k.client.list(named.String()); list != nil {
		return k.inspectList(list, *verbose)
	}
	desc, raw, err := k.manifest(named)
	switch {
	case err != nil:
		return err
	case !*verbose:
		return k.printIndented(raw)
	case isIndex(desc.MediaType):
		return k.inspectIndex(named, raw)
	}
	if desc.Platform, err = k.platform(named.String(), raw); err != nil {
		return err
	}
	return k.printVerbose(verboseManifest(listEntry{name: named.String(), desc: desc, raw: raw}))
}

// inspectEntry prints an image of a manifest list that is under construction.
func (k *call) inspectEntry(listArg string, named reference.Named, verbose bool) error {
	target, err := parseTarget(listArg)
	if err != nil {
		return err
	}
	list := k.client.list(target.String())
	if list == nil || list.index(named.String()) < 0 {
		return &missingError{fmt.Sprintf("No such manifest: %s in %s", named, target)}
	}
	entry := list.entries[list.index(named.String())]
	if verbose {
		return k.printVerbose(verboseManifest(entry))
	}
	return k.printIndented(entry.raw)
}

// inspectList prints a manifest list that is under construction.
func (k *call) inspectList(list *manifestList, verbose bool) error {
	if !verbose {
		_, data, err := list.encode()
		if err == nil {
			k.printf("%s\n", data)
		}
		return err
	}
	all := []manifestJSON{}
	for _, e := range list.entries {
		all = append(all, verboseManifest(e))
	}
	return k.printVerbose(all)
}

// inspectIndex prints the manifests that an index lists.
func (k *call) inspectIndex(named reference.Named, raw []byte) error {
	var index ocispec.Index
	if err := json.Unmarshal(raw, &index); err != nil {
		return fmt.Errorf("reading the index of %s: %w", named, err)
	}
	all := []manifestJSON{}
	for _, desc := range index.Manifests {
		child, err := reference.WithDigest(reference.TrimNamed(named), desc.Digest)
		if err != nil {
			return fmt.Errorf("reading the index of %s: %w", named, err)
		}
		_, data, err := k.manifest(child)
		if err != nil {
			return err
		}
		all = append(all, verboseManifest(listEntry{name: child.String(), desc: desc, raw: data}))
	}
	return k.printVerbose(all)
}

// verboseManifest turns an image into docker's form.
func verboseManifest(e listEntry) manifestJSON {
	m := manifestJSON{Ref: e.name, Descriptor: e.desc, Raw: e.raw}
	if e.desc.MediaType == dockerManifest {
		m.SchemaV2Manifest = e.raw
	} else {
		m.OCIManifest = e.raw
	}
	return m
}

// printVerbose writes a value as JSON, indented by tabs.
func (k *call) printVerbose(v any) error {
	data, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return fmt.Errorf("encoding the manifest: %w", err)
	}
	k.printf("%s\n", data)
	return nil
}

// printIndented writes JSON, indented by tabs.
func (k *call) printIndented(raw []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "\t"); err != nil {
		return fmt.Errorf("reading the manifest: %w", err)
	}
	k.printf("%s\n", b.Bytes())
	return nil
}
