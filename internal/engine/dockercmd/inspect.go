package dockercmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/template"
	"time"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// imageJSON is what docker's inspect says of an image, in its order.
type imageJSON struct {
	ID            string `json:"Id"`
	RepoTags      []string
	RepoDigests   []string
	Comment       string
	Created       string `json:",omitempty"`
	Author        string
	Config        *dockerspec.DockerOCIImageConfig
	Architecture  string
	Variant       string `json:",omitempty"`
	Os            string
	OsVersion     string `json:",omitempty"`
	Size          int64
	RootFS        rootFSJSON
	Metadata      metadataJSON
	Descriptor    *ocispec.Descriptor `json:",omitempty"`
	Parent        string
	DockerVersion string
}

type rootFSJSON struct {
	Type   string
	Layers []string `json:",omitempty"`
}

type metadataJSON struct {
	LastTagTime time.Time `json:",omitzero"`
}

// inspect carries out `docker inspect` and `docker image inspect`.
func (k *call) inspect(args []string) error {
	flags := k.flags()
	format := flags.StringP("format", "f", "", "'json', or a Go template")
	flags.BoolP("size", "s", false, "Accepted without meaning: images always have a size")
	kind := flags.String("type", "", "Only image is supported")
	args, err := k.parse(flags, args, 1, -1)
	if err != nil {
		return err
	}
	if *kind != "" && *kind != "image" {
		return fmt.Errorf("docker inspect --type %s is not supported in a run: only images can be inspected", *kind)
	}
	var tmpl *template.Template
	if *format != "" && *format != "json" {
		if tmpl, err = parseTemplate(*format); err != nil {
			return err
		}
	}
	images, missing := k.inspectAll(args)
	switch {
	case tmpl != nil:
		err = k.printTemplate(tmpl, images)
	case *format == "json":
		err = k.printJSON(images, "")
	default:
		err = k.printJSON(images, "    ")
	}
	return errors.Join(err, missing)
}

// inspectAll returns what is known of the images, and one error for all that
// could not be found.
func (k *call) inspectAll(args []string) ([]imageJSON, error) {
	images := []imageJSON{}
	var missing []error
	for _, arg := range args {
		image, err := k.find(arg)
		if errors.Is(err, ErrNotFound) {
			missing = append(missing, fmt.Errorf("Error: %w", err))
			continue
		}
		var out imageJSON
		if err == nil {
			out, err = describe(image.Image)
		}
		if err != nil {
			missing = append(missing, err)
			continue
		}
		images = append(images, out)
	}
	return images, errors.Join(missing...)
}

// describe turns an image into docker's form.
func describe(i Image) (imageJSON, error) {
	config, err := i.config()
	if err != nil {
		return imageJSON{}, fmt.Errorf("reading the config of %s: %w", i.ID, err)
	}
	out := imageJSON{
		ID: i.ID, RepoTags: familiarAll(i.Names), RepoDigests: familiarAll(i.Digests), Author: config.Author,
		Config: &config.Config, Architecture: config.Architecture, Variant: config.Variant, Os: config.OS,
		OsVersion: config.OSVersion, Size: i.Size, RootFS: rootFSJSON{Type: "layers"},
		Metadata: metadataJSON{LastTagTime: i.Tagged},
	}
	if i.Target.Digest != "" {
		out.Descriptor = &i.Target
	}
	if config.Created != nil {
		out.Created = config.Created.Format(time.RFC3339Nano)
	}
	if n := len(config.History); n > 0 {
		out.Comment = config.History[n-1].Comment
	}
	for _, d := range config.RootFS.DiffIDs {
		out.RootFS.Layers = append(out.RootFS.Layers, d.String())
	}
	return out, nil
}

// printJSON writes an array of the images.
func (k *call) printJSON(images []imageJSON, indent string) error {
	data, err := json.Marshal(images)
	if err != nil {
		return fmt.Errorf("encoding the images: %w", err)
	}
	if indent != "" {
		var b bytes.Buffer
		if err := json.Indent(&b, data, "", indent); err != nil {
			return fmt.Errorf("encoding the images: %w", err)
		}
		data = b.Bytes()
	}
	k.printf("%s\n", data)
	return nil
}

// printTemplate writes a line by the template for each image. A template that
// the fields don't satisfy gets the names of the JSON form instead, as docker
// does it: {{.Id}} and {{.ID}} both work.
func (k *call) printTemplate(tmpl *template.Template, images []imageJSON) error {
	for _, i := range images {
		line, err := execute(tmpl, i)
		if err != nil {
			return fmt.Errorf("template parsing error: %w", err)
		}
		k.printf("%s\n", line)
	}
	if len(images) == 0 {
		k.printf("\n")
	}
	return nil
}

// execute renders a value, or its JSON form where the value lacks a field.
func execute(tmpl *template.Template, value any) (string, error) {
	var b strings.Builder
	if err := tmpl.Execute(&b, value); err == nil {
		return b.String(), nil
	}
	data, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var raw any
	if err := dec.Decode(&raw); err != nil {
		return "", err
	}
	strict, err := tmpl.Clone()
	if err != nil {
		return "", err
	}
	b.Reset()
	if err := strict.Option("missingkey=error").Execute(&b, raw); err != nil {
		return "", err
	}
	return b.String(), nil
}
