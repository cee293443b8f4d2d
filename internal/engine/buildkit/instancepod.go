package buildkit

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine/buildkit/runnet"
	"github.com/drydockhq/drydock/internal/instance"
)

// pod is one generation of the containers of a group.
type pod struct {
	session    *session // for images and folders; it has no network and workspace
	network    *instanceNetwork
	spec       instance.PodSpec
	attachment *runnet.Attachment
	memory     string // folder of the volumes that are kept in memory

	mu    sync.Mutex
	boxes map[string]*box // those that run, by the names of the containers

	once sync.Once
	err  error
}

// emptyWorkspace is what images without layers are mounted from.
func emptyWorkspace(dir string) (*workspace, error) {
	w := &workspace{dir: filepath.Join(dir, "workspace"), empty: filepath.Join(dir, "empty")}
	if err := os.Mkdir(w.empty, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder of a container group: %w", err)
	}
	return w, nil
}

// makeVolumes makes the folders that the containers share.
func (p *pod) makeVolumes() error {
	p.memory = filepath.Join(p.session.executor.runtime.memory, filepath.Base(p.session.dir)+"-volumes")
	for _, v := range p.spec.Volumes {
		dir := p.volumeDir(v)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("making the volume %s: %w", v.Name, err)
		}
		if v.Files == nil {
			// Whoever a container runs as writes there.
			if err := os.Chmod(dir, 0o777); err != nil {
				return fmt.Errorf("making the volume %s: %w", v.Name, err)
			}
		}
		for name, data := range v.Files {
			if !filepath.IsLocal(name) || strings.Contains(name, "/") {
				return drydock.Errorf(drydock.Invalid, "volume %s: %q is not a file name", v.Name, name)
			}
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o444); err != nil {
				return fmt.Errorf("writing the volume %s: %w", v.Name, err)
			}
		}
	}
	return nil
}

func (p *pod) volumeDir(v drydock.GroupVolume) string {
	base := filepath.Join(p.session.dir, "volumes")
	if v.Files != nil {
		base = p.memory
	}
	return filepath.Join(base, strings.Map(folderRune, v.Name))
}

// Pull implements instance.Pod.
func (p *pod) Pull(ctx context.Context, image, pinned string) (string, error) {
	ctx, done, err := p.session.begin(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	name, err := completeName(image)
	if err != nil {
		return "", err
	}
	if pinned != "" {
		p.session.setPin(name, ocispec.Descriptor{Digest: digest.Digest(pinned)})
	}
	img, err := p.session.image(ctx, name, false)
	if err != nil {
		return "", err
	}
	if _, err := p.session.rootfs(ctx, img); err != nil {
		return "", explainFull(ctx, p.session.executor.config, err)
	}
	return p.session.pinned(name).Digest.String(), nil
}

// Dial implements instance.Pod.
func (p *pod) Dial(ctx context.Context, network string, port uint16) (net.Conn, error) {
	return p.network.net.Dial(ctx, network, p.attachment, port)
}

// Signal implements instance.Pod.
func (p *pod) Signal(container string, signal syscall.Signal) error {
	b := p.running(container)
	if b == nil {
		return nil
	}
	if err := unix.Kill(b.pid, signal); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("sending a signal to container %s: %w", container, err)
	}
	return nil
}

func (p *pod) running(container string) *box {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.boxes[container]
}

// Close implements instance.Pod.
func (p *pod) Close() error {
	p.once.Do(func() {
		p.network.mu.Lock()
		delete(p.network.pods, p)
		p.network.mu.Unlock()
		// What runs is killed: calls end with the session's context.
		s := p.session
		err := s.Close()
		if p.attachment != nil {
			err = errors.Join(err, p.attachment.Close())
		}
		if p.memory != "" {
			err = errors.Join(err, os.RemoveAll(p.memory))
		}
		p.err = err
	})
	return p.err
}

// imageName returns the complete name of an image for people.
func imageName(name string) string {
	if named, err := reference.ParseNormalizedNamed(name); err == nil {
		return reference.FamiliarString(named)
	}
	return name
}
