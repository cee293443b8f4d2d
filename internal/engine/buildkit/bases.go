package buildkit

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/buildflags"
	"github.com/drydockhq/drydock/internal/engine"
)

var _ engine.Surveyor = (*Executor)(nil)

// Bases implements engine.Surveyor.
func (e *Executor) Bases(ctx context.Context, dockerfile []byte, b engine.Build) ([]drydock.BaseImage, error) {
	return basesOf(ctx, dockerfile, b)
}

// basesOf lets the frontend itself say what it would resolve, so that unused
// stages, arguments and targets are understood as in a build; only what base
// images add with ONBUILD is left out.
func basesOf(ctx context.Context, dockerfile []byte, b engine.Build) ([]drydock.BaseImage, error) {
	if source, _, _, ok := parser.DetectSyntax(dockerfile); ok && !officialFrontend.MatchString(source) {
		return nil, drydock.Errorf(drydock.Invalid, "only %s, which its first line names, understands the Dockerfile", source)
	}
	attrs := surveyAttrs(b)
	found := &askedImages{names: map[string]bool{}}
	for text := range strings.SplitSeq(attrs["platform"], ",") {
		platform, err := platformOf(text)
		if err != nil {
			return nil, err
		}
		opt := dockerfile2llb.ConvertOpt{
			Config: dockerui.Config{
				BuildArgs: argsIn(attrs), Target: attrs["target"], BuildPlatforms: []ocispec.Platform{defaultPlatform},
			},
			TargetPlatform: &platform, MetaResolver: found,
		}
		if _, err := dockerfile2llb.Dockerfile2LLB(ctx, dockerfile, opt); err != nil {
			return nil, drydock.Errorf(drydock.Invalid, "reading the Dockerfile: %w", err)
		}
	}
	return baseImages(found.names, parseDockerfile(dockerfile, attrs).base, b.Flags.BuildContexts)
}

// surveyAttrs are those of the attributes of a build that decide which images it
// resolves.
func surveyAttrs(b engine.Build) map[string]string {
	attrs := map[string]string{"platform": platforms.Format(defaultPlatform), "target": b.Flags.Target}
	if len(b.Flags.Platforms) > 0 {
		attrs["platform"] = strings.Join(b.Flags.Platforms, ",")
	}
	for _, arg := range append(slices.Clone(b.Flags.Args), b.Flags.SecretArgs...) {
		value, ok := arg.Value, arg.HasValue
		if !ok {
			value, ok = lookupEnv(b.Env, arg.Name)
		}
		if ok {
			attrs["build-arg:"+arg.Name] = value
		}
	}
	return attrs
}

func argsIn(attrs map[string]string) map[string]string {
	args := map[string]string{}
	for key, value := range attrs {
		if name, ok := strings.CutPrefix(key, "build-arg:"); ok {
			args[name] = value
		}
	}
	return args
}

// baseImages returns the images that names stand for, ordered, without those
// that are folders.
func baseImages(names map[string]bool, runtime string, contexts []buildflags.Arg) ([]drydock.BaseImage, error) {
	replaced := map[string]string{}
	for _, c := range contexts {
		image, isImage := strings.CutPrefix(c.Value, "docker-image://")
		if !isImage {
			image = ""
		}
		replaced[c.Name] = image
	}
	actual := func(name string) (string, bool) {
		for _, form := range []string{name, nameInContexts(name)} {
			if image, there := replaced[form]; there {
				return image, image != ""
			}
		}
		return name, true
	}
	var final drydock.ImageName
	if name, isImage := actual(runtime); runtime != "" && isImage {
		var err error
		if final, err = drydock.ParseImageName(name); err != nil {
			return nil, err
		}
	}
	bases := map[drydock.ImageName]drydock.BaseImage{}
	for name := range names {
		name, isImage := actual(name)
		if !isImage {
			continue
		}
		image, err := drydock.ParseImageName(name)
		if err != nil {
			return nil, err
		}
		base := drydock.BaseImage{Image: image, Kind: drydock.BuildTimeBase, Digest: image.Digest}
		if image == final {
			base.Kind = drydock.RuntimeBase
		}
		bases[image] = base
	}
	return slices.SortedFunc(maps.Values(bases), func(a, b drydock.BaseImage) int {
		return cmp.Compare(a.Image.String(), b.Image.String())
	}), nil
}

// askedImages notes which images the frontend asks for, and says of each that it
// is empty.
type askedImages struct {
	mu    sync.Mutex
	names map[string]bool
}

// ResolveImageConfig implements sourceresolver.ImageMetaResolver.
func (a *askedImages) ResolveImageConfig(_ context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	a.mu.Lock()
	a.names[ref] = true
	a.mu.Unlock()
	var img ocispec.Image
	if opt.ImageOpt != nil && opt.ImageOpt.Platform != nil {
		img.Platform = *opt.ImageOpt.Platform
	}
	config, err := json.Marshal(img)
	return ref, "", config, err
}

// Digest implements engine.Surveyor.
func (e *Executor) Digest(ctx context.Context, image drydock.ImageName, creds []drydock.Credential) (string, error) {
	named, err := reference.ParseNormalizedNamed(image.Tagged().String())
	if err != nil {
		return "", drydock.Errorf(drydock.Invalid, "%q is not an image name: %w", image, err)
	}
	r := e.remoteFor(creds)
	desc, err := r.head(ctx, named.String())
	if cerrdefs.IsNotFound(err) {
		return "", drydock.Errorf(drydock.NotFound, "there is no image %s", image.Familiar())
	}
	return desc.Digest.String(), err
}
