package buildflags

import (
	"slices"
	"strconv"
	"strings"
)

// outputFlags are those that say where the image and the log go.
func (p *parser) outputFlags() {
	b := p.build
	p.value("output", "o", b.addOutput)
	p.value("progress", "", func(v string) error {
		if !slices.Contains([]string{"auto", "plain", "tty", "quiet", "rawjson", "none"}, v) {
			return invalid("%q is not a form of progress", v).WithHint("it is auto, plain, tty, quiet, rawjson or none")
		}
		b.Progress = v
		return nil
	})
	p.flags.BoolVar(&b.Push, "push", false, "")
	p.flags.BoolVar(&b.Load, "load", false, "")
	p.flags.BoolVarP(&b.Quiet, "quiet", "q", false, "")
}

// addOutput takes the outputs that are images.
func (b *Build) addOutput(v string) error {
	const hint = "write type=image, type=registry or type=docker; copy files out of an image with a cmd step"
	fields, err := csvFields(v)
	if err != nil {
		return err
	}
	attrs := map[string]string{}
	for _, field := range fields {
		key, value, ok := strings.Cut(field, "=")
		if !ok {
			return invalid("%q would write files: a build makes an image", v).WithHint(hint)
		}
		attrs[strings.ToLower(strings.TrimSpace(key))] = value
	}
	switch {
	case !slices.Contains([]string{"image", "registry", "docker"}, attrs["type"]):
		return invalid("the output type %q is not an image", attrs["type"]).WithHint(hint)
	case attrs["dest"] != "":
		return invalid("dest=%s would write a file: a build makes an image", attrs["dest"]).WithHint(hint)
	}
	push, err := strconv.ParseBool(attrs["push"])
	if err != nil && attrs["push"] != "" {
		return invalid("push=%s is neither true nor false", attrs["push"])
	}
	b.Push = b.Push || push || attrs["type"] == "registry"
	b.Load = b.Load || attrs["type"] == "docker"
	for key := range attrs {
		if !slices.Contains([]string{"type", "name", "push", "dest"}, key) {
			b.warn("The key " + key + " of --output has no effect.")
		}
	}
	for name := range strings.SplitSeq(attrs["name"], ",") {
		if name == "" {
			continue
		}
		if err := addTag(&b.Tags, name); err != nil {
			return err
		}
	}
	return nil
}
