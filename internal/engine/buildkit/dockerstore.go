package buildkit

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sort"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/buildflags"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/dockercmd"
)

// dockerStore is the run's images as the docker client of the run sees them.
type dockerStore struct{ *session }

var _ dockercmd.Store = (*dockerStore)(nil)

// Docker carries out a docker command.
func (s *session) Docker(ctx context.Context, c engine.DockerCommand) error {
	ctx, done, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	return s.docker.Run(withStep(ctx, c.StepID), dockercmd.Invocation{
		Args: c.Args, Env: c.Env, Dir: c.Dir, Stdin: c.Stdin, Stdout: c.Stdout, Stderr: c.Stderr,
	})
}

// stepKey is the context key of the step that a docker command belongs to.
type stepKey struct{}

func withStep(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, stepKey{}, id)
}

// Pull implements dockercmd.Images.
func (s *dockerStore) Pull(ctx context.Context, name, platform string, _ io.Writer) (dockercmd.Pulled, error) {
	p, err := platformOf(platform)
	if err != nil {
		return dockercmd.Pulled{}, err
	}
	before := s.images.names()[name]
	img, err := s.pull(ctx, name)
	if err != nil {
		return dockercmd.Pulled{}, err
	}
	if _, _, err := img.open(ctx, p); err != nil {
		return dockercmd.Pulled{}, err
	}
	old, had := before.image.(*registryImage)
	return dockercmd.Pulled{Descriptor: img.desc, Changed: !had || before.resolved || old.desc.Digest != img.desc.Digest}, nil
}

// Tag implements dockercmd.Images.
func (s *dockerStore) Tag(ctx context.Context, src, dst string) error {
	img, err := s.lookup(ctx, src)
	if err != nil {
		return err
	}
	s.images.put(dst, img)
	return nil
}

// lookup finds an image by a name or an id.
func (s *dockerStore) lookup(ctx context.Context, nameOrID string) (image, error) {
	if img := s.images.find(nameOrID); img != nil {
		return img, nil
	}
	list, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, listed := range list {
		if listed.ID == nameOrID || slices.Contains(listed.Digests, nameOrID) {
			return s.images.find(listed.Names[0]), nil
		}
	}
	return nil, fmt.Errorf("%w: %s", dockercmd.ErrNotFound, nameOrID)
}

// Push implements dockercmd.Images.
func (s *dockerStore) Push(ctx context.Context, name string, _ io.Writer) (ocispec.Descriptor, error) {
	if s.images.find(name) == nil {
		return ocispec.Descriptor{}, fmt.Errorf("%w: %s", dockercmd.ErrNotFound, name)
	}
	return s.push(ctx, name, io.Discard)
}

// Remove implements dockercmd.Images.
func (s *dockerStore) Remove(ctx context.Context, nameOrID string) error {
	if s.images.remove(nameOrID) {
		return nil
	}
	list, err := s.List(ctx)
	if err != nil {
		return err
	}
	found := false
	for _, img := range list {
		if img.ID != nameOrID {
			continue
		}
		for _, name := range img.Names {
			found = s.images.remove(name) || found
		}
	}
	if !found {
		return fmt.Errorf("%w: %s", dockercmd.ErrNotFound, nameOrID)
	}
	return nil
}

// List implements dockercmd.Images.
func (s *dockerStore) List(ctx context.Context) ([]dockercmd.Image, error) {
	byID := map[string]*dockercmd.Image{}
	for name, tag := range s.images.names() {
		if tag.resolved {
			continue
		}
		described, err := s.describe(ctx, tag.image)
		if err != nil {
			return nil, err
		}
		known, ok := byID[described.ID]
		if !ok {
			known = &described
			byID[described.ID] = known
		}
		known.Names = append(known.Names, name)
		if tag.since.After(known.Tagged) {
			known.Tagged = tag.since
		}
	}
	var list []dockercmd.Image
	for _, img := range byID {
		sort.Strings(img.Names)
		img.Digests = s.digestNames(img.Names, img.Target.Digest)
		list = append(list, *img)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Tagged.After(list[j].Tagged) })
	return list, nil
}

// digestNames returns the names with a digest under which a registry has the
// image.
func (s *session) digestNames(names []string, dgst digest.Digest) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, name := range names {
		named, err := reference.ParseNormalizedNamed(name)
		if err != nil {
			continue
		}
		img, fromRegistry := s.images.find(name).(*registryImage)
		if s.digests[name] != dgst.String() && (!fromRegistry || img.repository() != named.Name()) {
			continue
		}
		if full := reference.TrimNamed(named).String() + "@" + dgst.String(); !slices.Contains(out, full) {
			out = append(out, full)
		}
	}
	return out
}

// Inspect implements dockercmd.Images.
func (s *dockerStore) Inspect(ctx context.Context, name string) (dockercmd.Image, error) {
	img, err := s.lookup(ctx, name)
	if err != nil {
		return dockercmd.Image{}, err
	}
	described, err := s.describe(ctx, img)
	if err != nil {
		return described, err
	}
	for other, tag := range s.images.names() {
		if tag.image == img {
			described.Names = append(described.Names, other)
		}
	}
	sort.Strings(described.Names)
	described.Digests = s.digestNames(described.Names, described.Target.Digest)
	return described, nil
}

// describe says of an image what does not depend on its names.
func (s *session) describe(ctx context.Context, img image) (dockercmd.Image, error) {
	desc, provider, err := img.target(ctx)
	if err != nil {
		return dockercmd.Image{}, err
	}
	out := dockercmd.Image{ID: desc.Digest.String(), Target: desc, Size: desc.Size}
	manifest, err := images.Manifest(ctx, provider, desc, onlyDefault)
	if err != nil {
		return out, nil // an index without this machine's platform, or an artifact
	}
	config, err := content.ReadBlob(ctx, provider, manifest.Config)
	if err != nil {
		return out, fmt.Errorf("reading the image's config: %w", err)
	}
	out.ID, out.Config = manifest.Config.Digest.String(), config
	for _, layer := range manifest.Layers {
		out.Size += layer.Size
	}
	return out, nil
}

// Manifest implements dockercmd.Manifests.
func (s *dockerStore) Manifest(ctx context.Context, name string) (ocispec.Descriptor, []byte, error) {
	img, err := s.known(ctx, name)
	if err != nil {
		return ocispec.Descriptor{}, nil, err
	}
	desc, provider, err := img.target(ctx)
	if err != nil {
		return desc, nil, err
	}
	data, err := content.ReadBlob(ctx, provider, desc)
	return desc, data, registryError("reading the manifest of image", name, err)
}

// known returns the run's image of a name, or the registry's, which stays out
// of the table.
func (s *dockerStore) known(ctx context.Context, name string) (image, error) {
	if img := s.images.find(name); img != nil {
		return img, nil
	}
	desc, err := s.resolve(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.newRegistryImage(name, desc)
}

// maxBlob bounds what is read of a registry into memory.
const maxBlob = 4 << 20

// Blob implements dockercmd.Manifests.
func (s *dockerStore) Blob(ctx context.Context, name string, desc ocispec.Descriptor) ([]byte, error) {
	if desc.Size > maxBlob {
		return nil, drydock.Errorf(drydock.Failed, "blob %s of image %s is larger than %d bytes", desc.Digest, name, maxBlob)
	}
	img, err := s.known(ctx, name)
	if err != nil {
		return nil, err
	}
	_, provider, err := img.target(ctx)
	if err != nil {
		return nil, err
	}
	data, err := content.ReadBlob(ctx, provider, desc)
	return data, registryError("reading image", name, err)
}

// Login implements dockercmd.Logins.
func (s *dockerStore) Login(ctx context.Context, registry, user, password string) error {
	probe := &remote{registries: s.executor.config.Registries, logins: &logins{
		opened: []drydock.Credential{{Registry: registry, Username: user, Password: password}},
	}}
	if err := probe.ping(ctx, registry); err != nil {
		return err
	}
	if s.spec.Secret != nil {
		s.spec.Secret(password)
	}
	s.logins.add(drydock.Credential{Registry: registry, Username: user, Password: password})
	s.remote.forget()
	return s.writeLogins()
}

// Logout implements dockercmd.Logins.
func (s *dockerStore) Logout(_ context.Context, registry string) (bool, error) {
	found := s.logins.remove(registry)
	if !found {
		return false, nil
	}
	s.remote.forget()
	return true, s.writeLogins()
}

// ping asks a registry whether it accepts the credentials for it.
func (r *remote) ping(ctx context.Context, registry string) error {
	r.resolver(ctx)
	hosts, err := r.hosts(registry)
	if err != nil {
		return err
	}
	host := hosts[len(hosts)-1]
	var last *http.Response
	for range 2 { // the first answer says how to authorize the second request
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, host.Scheme+"://"+host.Host+"/v2/", nil)
		if err != nil {
			return drydock.Errorf(drydock.Invalid, "%q is not a registry's host: %w", registry, err)
		}
		if err := host.Authorizer.Authorize(ctx, req); err != nil {
			return registryError("logging in to", registry, err)
		}
		resp, err := host.Client.Do(req)
		if err != nil {
			return registryError("logging in to", registry, err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			return pingResult(registry, resp)
		}
		last = resp
		if err := host.Authorizer.AddResponses(ctx, []*http.Response{resp}); err != nil {
			break
		}
	}
	return pingResult(registry, last)
}

func pingResult(registry string, resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusUnauthorized, http.StatusForbidden:
		return drydock.Errorf(drydock.Denied, "registry %s refused the user or password", registry)
	}
	return drydock.Errorf(drydock.Unavailable, "registry %s answered %s", registry, resp.Status)
}

// Build implements dockercmd.Builder.
func (s *dockerStore) Build(ctx context.Context, flags *buildflags.Build, in dockercmd.Invocation) (string, error) {
	step, _ := ctx.Value(stepKey{}).(string)
	img, err := s.build(ctx, engine.Build{
		StepID: step, Flags: flags, Dir: in.Dir, Env: in.Env, Stdin: in.Stdin, Out: in.Stderr,
	})
	if err != nil {
		return "", err
	}
	described, err := s.describe(ctx, img)
	return described.ID, err
}
