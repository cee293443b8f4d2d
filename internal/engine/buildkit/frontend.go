package buildkit

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	dockerfilebuilder "github.com/moby/buildkit/frontend/dockerfile/builder"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/drydockhq/drydock"
)

// solveDockerfile is BuildKit's Dockerfile frontend, with the run's own images
// as named contexts.
func (b *build) solveDockerfile(ctx context.Context, c client.Client) (*client.Result, error) {
	ui, err := dockerui.NewClient(c)
	if err != nil {
		return nil, err
	}
	src, err := ui.ReadEntrypoint(ctx, "Dockerfile")
	if err != nil {
		return nil, err
	}
	opts := c.BuildOpts()
	b.dockerfile = parseDockerfile(src.Data, opts.Opts)
	b.syntax = frontendImage(src.Data)
	b.warnUnusedArgs()
	with := &contextClient{Client: c, opts: opts, inputs: map[string]llb.State{}}
	with.opts.Opts = maps.Clone(opts.Opts)
	if !b.Flags.Pull {
		if err := b.addOwnImages(ctx, with); err != nil {
			return nil, err
		}
	}
	return dockerfilebuilder.Build(ctx, with)
}

// addOwnImages makes the images of the run available to FROM, COPY --from and
// RUN --mount=from. A stage of the Dockerfile hides an image of the same name.
func (b *build) addOwnImages(ctx context.Context, c *contextClient) error {
	for name, tag := range b.session.images.names() {
		context := nameInContexts(name)
		if b.dockerfile.stages[strings.ToLower(context)] {
			continue
		}
		if _, given := c.opts.Opts["context:"+context]; given {
			continue
		}
		switch img := tag.image.(type) {
		case *registryImage:
			if !tag.resolved && img.asked != name {
				c.opts.Opts["context:"+context] = "docker-image://" + img.name
			}
		case *builtImage:
			if err := b.addBuilt(ctx, c, context, name, img); err != nil {
				return err
			}
		}
	}
	return nil
}

// addBuilt adds an image that the run built, once for each of its platforms.
func (b *build) addBuilt(ctx context.Context, c *contextClient, context, name string, img *builtImage) error {
	ps, err := exptypes.ParsePlatforms(img.source.Metadata)
	if err != nil {
		return fmt.Errorf("reading the platforms of image %s: %w", name, err)
	}
	for _, p := range ps.Platforms {
		ref, config, err := img.open(ctx, p.Platform)
		if err != nil {
			return err
		}
		number := b.addInput(&imageInput{name: name, ref: ref})
		op := llb.NewSource(fmt.Sprintf("%s://%s/%d", imageScheme, c.opts.SessionID, number),
			map[string]string{attrName: name}, llb.Constraints{
				Platform: &p.Platform,
				Metadata: llb.OpMetadata{Description: map[string]string{"llb.customname": "[internal] image " + context + " of this run"}},
			})
		key := fmt.Sprintf("drydock-%d", number)
		c.inputs[key] = llb.NewState(op.Output())
		metadata, err := json.Marshal(map[string][]byte{exptypes.ExporterImageConfigKey: config})
		if err != nil {
			return fmt.Errorf("describing image %s: %w", name, err)
		}
		c.opts.Opts["input-metadata:"+key] = string(metadata)
		c.opts.Opts["context:"+context+"::"+platforms.FormatAll(platforms.Normalize(p.Platform))] = "input:" + key
		if len(ps.Platforms) == 1 {
			c.opts.Opts["context:"+context] = "input:" + key
		}
	}
	return nil
}

// addInput makes an image a source of the build and returns its number.
func (b *build) addInput(input *imageInput) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inputs = append(b.inputs, input)
	return len(b.inputs) - 1
}

// contextClient is a gateway client with further inputs.
type contextClient struct {
	client.Client
	opts   client.BuildOpts
	inputs map[string]llb.State
}

// BuildOpts implements client.Client.
func (c *contextClient) BuildOpts() client.BuildOpts { return c.opts }

// Inputs implements client.Client.
func (c *contextClient) Inputs(ctx context.Context) (map[string]llb.State, error) {
	inputs, err := c.Client.Inputs(ctx)
	if err != nil {
		return nil, err
	}
	maps.Copy(inputs, c.inputs)
	return inputs, nil
}

// externalFrontend is BuildKit's name for a frontend that is an image.
const externalFrontend = "gateway.v0"

// officialFrontend matches the `# syntax=` lines that ask for the frontend
// which is embedded here.
var officialFrontend = regexp.MustCompile(`^(docker\.io/)?docker/dockerfile(-upstream)?(:1(\.[0-9]+){0,2}(-labs)?|:latest|:labs|:master)?(@sha256:[0-9a-f]{64})?$`)

// frontendImage returns the complete name of the image that a Dockerfile wants to
// be read by, "" for none.
func frontendImage(dockerfile []byte) string {
	source, _, _, ok := parser.DetectSyntax(dockerfile)
	if !ok || officialFrontend.MatchString(source) {
		return ""
	}
	named, err := reference.ParseNormalizedNamed(source)
	if err != nil {
		return ""
	}
	return undigested(reference.TagNameOnly(named))
}

// Solve implements client.Client. A Dockerfile that names the official frontend
// gets the embedded one instead of a download; every other frontend runs.
func (c *contextClient) Solve(ctx context.Context, req client.SolveRequest) (*client.Result, error) {
	if req.Frontend != externalFrontend {
		return c.Client.Solve(ctx, req)
	}
	source := req.FrontendOpt["source"]
	if officialFrontend.MatchString(source) {
		embedded := &contextClient{Client: c.Client, opts: c.opts, inputs: c.inputs}
		embedded.opts.Opts = maps.Clone(req.FrontendOpt)
		return dockerfilebuilder.Build(ctx, embedded)
	}
	takes, err := c.takesInputs(ctx, source)
	if err != nil {
		return nil, err
	}
	if !takes {
		req.FrontendInputs = nil
		maps.DeleteFunc(req.FrontendOpt, func(_, value string) bool { return strings.HasPrefix(value, "input:") })
	}
	return c.Client.Solve(ctx, req)
}

// takesInputs reports whether the image of a frontend says that it takes inputs,
// without which BuildKit refuses to give it any.
func (c *contextClient) takesInputs(ctx context.Context, source string) (bool, error) {
	if len(c.inputs) == 0 {
		return true, nil
	}
	named, err := reference.ParseNormalizedNamed(source)
	if err != nil {
		return false, drydock.Errorf(drydock.Invalid, "# syntax=%s: %w", source, err)
	}
	_, _, data, err := c.ResolveImageConfig(ctx, reference.TagNameOnly(named).String(), sourceresolver.Opt{})
	if err != nil {
		return false, err
	}
	config, err := imageConfig(data)
	caps := strings.Split(config.Config.Labels["moby.buildkit.frontend.caps"], ",")
	return slices.Contains(caps, "moby.buildkit.frontend.inputs"), err
}
