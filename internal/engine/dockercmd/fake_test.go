package dockercmd_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/drydockhq/drydock/internal/buildflags"
	"github.com/drydockhq/drydock/internal/engine/dockercmd"
)

const dockerV2 = "application/vnd.docker.distribution.manifest.v2+json"

// content is an image or index somewhere, by complete name or by digest.
type content struct {
	desc ocispec.Descriptor
	data []byte
}

// fakeStore is an image table and a registry in memory.
type fakeStore struct {
	mu     sync.Mutex
	remote map[string]content // what the registry has, by complete name
	local  map[string]content // the table, by complete name
	blobs  map[digest.Digest][]byte
	users  map[string]string // accepted "user:password" by registry
	logins map[string]string
	builds []*buildflags.Build
	puts   []dockercmd.PutManifest
	fail   error // returned by Pull when set
}

var _ dockercmd.Store = (*fakeStore)(nil)

func newFakeStore() *fakeStore {
	return &fakeStore{
		remote: map[string]content{}, local: map[string]content{}, blobs: map[digest.Digest][]byte{},
		users: map[string]string{}, logins: map[string]string{},
	}
}

// image makes an image of a platform and returns its manifest.
func (s *fakeStore) image(mediaType, platform, label string) content {
	os, arch, _ := strings.Cut(platform, "/")
	created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	config := map[string]any{
		"created": created, "os": os, "architecture": arch, "author": "me",
		"config":  map[string]any{"Env": []string{"PATH=/bin", "A=b"}, "Cmd": []string{"sh"}, "Entrypoint": []string{"/e"}, "Labels": map[string]string{"l": label}, "WorkingDir": "/w", "User": "1000", "ExposedPorts": map[string]any{"80/tcp": struct{}{}}, "Healthcheck": map[string]any{"Test": []string{"NONE"}}},
		"rootfs":  map[string]any{"type": "layers", "diff_ids": []digest.Digest{digest.FromString(label)}},
		"history": []any{map[string]any{"comment": "made by a test"}},
	}
	blob, _ := json.Marshal(config)
	s.blobs[digest.FromBytes(blob)] = blob
	manifest, _ := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": mediaType,
		"config": map[string]any{"mediaType": ocispec.MediaTypeImageConfig, "digest": digest.FromBytes(blob), "size": len(blob)},
		"layers": []any{},
	})
	return content{desc(mediaType, manifest), manifest}
}

func desc(mediaType string, data []byte) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
}

func repository(name string) string {
	if i := strings.IndexByte(name, '@'); i >= 0 {
		return name[:i]
	}
	return name[:strings.LastIndexByte(name, ':')]
}

func (s *fakeStore) Pull(_ context.Context, name, platform string, out io.Writer) (dockercmd.Pulled, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return dockercmd.Pulled{}, s.fail
	}
	c, ok := s.remote[name]
	if !ok {
		return dockercmd.Pulled{}, fmt.Errorf("manifest for %s not found: manifest unknown", name)
	}
	fmt.Fprintf(out, "progress of %s %s\n", name, platform)
	changed := s.local[name].desc.Digest != c.desc.Digest
	s.local[name] = c
	s.local[repository(name)+"@"+c.desc.Digest.String()] = c
	return dockercmd.Pulled{Descriptor: c.desc, Changed: changed}, nil
}

func (s *fakeStore) Tag(ctx context.Context, src, dst string) error {
	if i, err := s.Inspect(ctx, src); err == nil {
		s.local[dst] = content{i.Target, s.find(i.Target.Digest).data}
		return nil
	}
	for _, c := range s.local {
		if s.id(c) == src {
			s.local[dst] = c
			return nil
		}
	}
	return dockercmd.ErrNotFound
}

func (s *fakeStore) find(d digest.Digest) content {
	for _, c := range s.local {
		if c.desc.Digest == d {
			return c
		}
	}
	return content{}
}

func (s *fakeStore) Push(_ context.Context, name string, out io.Writer) (ocispec.Descriptor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintln(out, "progress")
	s.remote[name] = s.local[name]
	return s.local[name].desc, nil
}

func (s *fakeStore) Remove(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := s.local[name]
	left := 0
	for n, c := range s.local {
		if n == name || s.id(c) == name {
			delete(s.local, n)
		} else if c.desc.Digest == gone.desc.Digest && !strings.Contains(n, "@") {
			left++
		}
	}
	for n, c := range s.local {
		if left == 0 && c.desc.Digest == gone.desc.Digest {
			delete(s.local, n)
		}
	}
	return nil
}

func (s *fakeStore) id(c content) string {
	var m ocispec.Manifest
	_ = json.Unmarshal(c.data, &m)
	if m.Config.Digest == "" {
		return c.desc.Digest.String()
	}
	return m.Config.Digest.String()
}

func (s *fakeStore) List(context.Context) ([]dockercmd.Image, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list(), nil
}

func (s *fakeStore) list() []dockercmd.Image {
	byID := map[string]*dockercmd.Image{}
	for name, c := range s.local {
		id := s.id(c)
		if byID[id] == nil {
			byID[id] = &dockercmd.Image{ID: id, Target: c.desc, Config: s.blobs[digest.Digest(id)], Size: 4261550}
		}
		if strings.Contains(name, "@") {
			byID[id].Digests = append(byID[id].Digests, name)
		} else {
			byID[id].Names = append(byID[id].Names, name)
		}
	}
	var out []dockercmd.Image
	for _, i := range byID {
		sort.Strings(i.Names)
		out = append(out, *i)
	}
	slices.SortFunc(out, func(a, b dockercmd.Image) int {
		return strings.Compare(strings.Join(a.Names, " "), strings.Join(b.Names, " "))
	})
	return out
}

func (s *fakeStore) Inspect(_ context.Context, name string) (dockercmd.Image, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.list() {
		if slices.Contains(i.Names, name) || slices.Contains(i.Digests, name) {
			return i, nil
		}
	}
	return dockercmd.Image{}, fmt.Errorf("looking up %s: %w", name, dockercmd.ErrNotFound)
}

func (s *fakeStore) Manifest(_ context.Context, name string) (ocispec.Descriptor, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range []map[string]content{s.local, s.remote} {
		if c, ok := m[name]; ok {
			return c.desc, c.data, nil
		}
	}
	for n, c := range s.remote {
		if repository(n)+"@"+c.desc.Digest.String() == name {
			return c.desc, c.data, nil
		}
	}
	return ocispec.Descriptor{}, nil, dockercmd.ErrNotFound
}

func (s *fakeStore) Blob(_ context.Context, _ string, d ocispec.Descriptor) ([]byte, error) {
	if b, ok := s.blobs[d.Digest]; ok {
		return b, nil
	}
	return nil, dockercmd.ErrNotFound
}

func (s *fakeStore) PutManifest(_ context.Context, put dockercmd.PutManifest) (digest.Digest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.puts = append(s.puts, put)
	s.remote[put.Name] = content{desc(put.MediaType, put.Data), put.Data}
	return digest.FromBytes(put.Data), nil
}

func (s *fakeStore) Login(_ context.Context, registry, user, password string) error {
	if s.users[registry] != user+":"+password {
		return errors.New("unauthorized: incorrect username or password")
	}
	s.logins[registry] = user
	return nil
}

func (s *fakeStore) Logout(_ context.Context, registry string) (bool, error) {
	_, was := s.logins[registry]
	delete(s.logins, registry)
	return was, nil
}

func (s *fakeStore) Build(_ context.Context, flags *buildflags.Build, in dockercmd.Invocation) (string, error) {
	s.builds = append(s.builds, flags)
	if flags.Context == "broken" {
		return "", errors.New("Dockerfile:3: unknown instruction")
	}
	fmt.Fprintln(in.Stderr, "#1 building")
	return digest.FromString("built").String(), nil
}
