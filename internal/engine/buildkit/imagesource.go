package buildkit

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/moby/buildkit/cache"
	bksession "github.com/moby/buildkit/session"
	bksolver "github.com/moby/buildkit/solver"
	"github.com/moby/buildkit/solver/llbsolver/provenance"
	provenancetypes "github.com/moby/buildkit/solver/llbsolver/provenance/types"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/source"
	"github.com/moby/buildkit/util/cachedigest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// imageScheme marks the source operations that stand for images of a run:
// drydock-image://<BuildKit session>/<number>. The session in it keeps two runs
// from ever sharing such an operation.
const imageScheme = "drydock-image"

// attrName is the attribute of such an operation that holds the image's name.
const attrName = "drydock.name"

// imageSource gives builds the images that their own run made.
type imageSource struct{ runs *runTable }

// Schemes implements source.Source.
func (s *imageSource) Schemes() []string { return []string{imageScheme} }

// Identifier implements source.Source.
func (s *imageSource) Identifier(_, ref string, attrs map[string]string, platform *pb.Platform) (source.Identifier, error) {
	id := &imageIdentifier{ref: ref, name: attrs[attrName]}
	if platform != nil {
		p := platform.Spec()
		id.platform = &p
	}
	return id, nil
}

// Resolve implements source.Source.
func (s *imageSource) Resolve(_ context.Context, id source.Identifier, _ *bksession.Manager, _ bksolver.Vertex) (source.SourceInstance, error) {
	own, ok := id.(*imageIdentifier)
	if !ok {
		return nil, fmt.Errorf("%T is not the source of an image of a run", id)
	}
	sessionID, number, _ := strings.Cut(own.ref, "/")
	n, err := strconv.Atoi(number)
	if err != nil {
		return nil, fmt.Errorf("reading image source %q: %w", own.ref, err)
	}
	build := s.runs.build(sessionID)
	if build == nil {
		return nil, fmt.Errorf("image source %q belongs to no build", own.ref)
	}
	build.mu.Lock()
	defer build.mu.Unlock()
	if n < 0 || n >= len(build.inputs) {
		return nil, fmt.Errorf("there is no image source %q", own.ref)
	}
	return build.inputs[n], nil
}

// imageIdentifier names an image of a run.
type imageIdentifier struct {
	ref      string
	name     string
	platform *ocispec.Platform
}

// String returns the identifier as it stands in a source operation.
func (id *imageIdentifier) String() string { return imageScheme + "://" + id.ref }

// Scheme implements source.Identifier.
func (*imageIdentifier) Scheme() string { return imageScheme }

// Capture implements source.Identifier: the image is a dependency of the build
// like one of a registry.
func (id *imageIdentifier) Capture(c *provenance.Capture, _ string) error {
	c.AddImage(provenancetypes.ImageSource{Ref: id.name, Platform: id.platform, Local: true})
	return nil
}

// imageInput is an image of the run as the input of one build.
type imageInput struct {
	name string
	ref  cache.ImmutableRef // nil for an empty image
}

// CacheKey implements source.SourceInstance. The reference of a cached build is
// the same in each run, so that what is built upon it is cached too.
func (i *imageInput) CacheKey(context.Context, bksolver.JobContext, int) (string, string, bksolver.CacheOpts, bool, error) {
	id := "scratch"
	if i.ref != nil {
		id = i.ref.ID()
	}
	key, err := cachedigest.FromBytes([]byte(imageScheme+":"+id), cachedigest.TypeString)
	if err != nil {
		return "", "", nil, false, err
	}
	return key.String(), key.String(), nil, true, nil
}

// Snapshot implements source.SourceInstance.
func (i *imageInput) Snapshot(context.Context, bksolver.JobContext) (cache.ImmutableRef, error) {
	if i.ref == nil {
		return nil, nil
	}
	return i.ref.Clone(), nil
}
