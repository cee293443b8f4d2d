package buildkit

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
)

// programs are the images that hold one program of this machine each, under
// /usr/bin: drydock.internal/NAME. They have what a static program needs beside
// itself, and nothing else.
type programs struct {
	dir     string // with the files that all of them have
	mounts  []string
	images  map[string]*rootfs
	dynamic map[string]string // loaders of those that are not static, by their names
}

// programFolder is where a program is in its image.
const programFolder = "/usr/bin"

// newPrograms makes the images below dir. The files are by the names of the
// programs.
func newPrograms(dir string, files map[string]string) (*programs, error) {
	p := &programs{dir: filepath.Join(dir, "files"), images: map[string]*rootfs{}, dynamic: map[string]string{}}
	mounted := filepath.Join(dir, "mounted")
	if err := os.MkdirAll(mounted, 0o700); err != nil {
		return nil, fmt.Errorf("making the built-in images: %w", err)
	}
	if err := p.writeFiles(files); err != nil {
		return nil, fmt.Errorf("making the built-in images: %w", err)
	}
	for name, file := range files {
		if err := p.add(name, file, filepath.Join(mounted, name)); err != nil {
			return nil, errors.Join(fmt.Errorf("making the built-in image of %s: %w", name, err), p.Close())
		}
	}
	return p, nil
}

// add makes the image of a program, which is mounted at a file that there is not.
func (p *programs) add(name, file, at string) error {
	loader, err := loaderOf(file)
	if err != nil {
		return err
	}
	if loader != "" {
		p.dynamic[name] = loader
		return nil
	}
	if err := mountProgram(file, at); err != nil {
		return err
	}
	p.mounts = append(p.mounts, at)
	p.images[name] = p.image(name, at)
	return nil
}

// writeFiles writes what a program needs beside itself, and what it is mounted on.
func (p *programs) writeFiles(files map[string]string) error {
	for _, d := range []string{"/etc/ssl/certs", "/root", "/tmp", "/usr/bin", "/var/tmp"} {
		if err := os.MkdirAll(filepath.Join(p.dir, d), 0o755); err != nil {
			return err
		}
	}
	texts := map[string][]byte{
		"/etc/passwd":        []byte("root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n"),
		"/etc/group":         []byte("root:x:0:\nnogroup:x:65534:\n"),
		"/etc/nsswitch.conf": []byte("hosts: files dns\n"),
		bundleFiles[0]:       machineTrust(),
	}
	for name := range files {
		texts[filepath.Join(programFolder, name)] = nil // that the program is mounted on
	}
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(p.dir, name), text, 0o644); err != nil {
			return err
		}
	}
	for _, name := range []string{"/tmp", "/var/tmp"} {
		if err := os.Chmod(filepath.Join(p.dir, name), 0o777|os.ModeSticky); err != nil {
			return err
		}
	}
	return nil
}

// mountProgram mounts a file on one of its own. It stays what it is when another
// takes its name, as when it is updated; and containers, whose mounts are copies of
// this process's, can have it.
func mountProgram(file, at string) error {
	if err := os.WriteFile(at, nil, 0o600); err != nil {
		return err
	}
	return unix.Mount(file, at, "", unix.MS_BIND, "")
}

// Close unmounts the programs.
func (p *programs) Close() error {
	var errs []error
	for _, at := range p.mounts {
		errs = append(errs, unmount(at))
	}
	p.mounts = nil
	return errors.Join(errs...)
}

func (p *programs) image(name, file string) *rootfs {
	path := filepath.Join(programFolder, name)
	return &rootfs{
		lower: []string{p.dir},
		config: ocispec.Image{
			Platform: defaultPlatform,
			Config:   ocispec.ImageConfig{Entrypoint: []string{path}},
		},
		mounts: []specs.Mount{{
			Destination: path, Type: "bind", Source: file, Options: []string{"bind", "rprivate", "ro", "nosuid", "nodev"},
		}},
		release: func() error { return nil },
	}
}

// rootfs returns the files of a built-in image, and nil for names of other
// registries.
func (p *programs) rootfs(completeName string) (*rootfs, error) {
	if !drydock.IsBuiltIn(completeName) {
		return nil, nil
	}
	name := strings.TrimSuffix(strings.TrimPrefix(completeName, drydock.BuiltInImage("")), ":latest")
	if _, ok := p.dynamic[name]; ok {
		return nil, p.unusable()
	}
	files, ok := p.images[name]
	if !ok {
		return nil, p.unknown(completeName)
	}
	return files, nil
}

func (p *programs) unknown(name string) error {
	e := drydock.Errorf(drydock.NotFound, "there is no built-in image %s", strings.TrimSuffix(name, ":latest"))
	var known []string
	for _, program := range slices.Sorted(maps.Keys(p.images)) {
		known = append(known, drydock.BuiltInImage(program))
	}
	if len(known) == 0 {
		return e
	}
	return e.WithHint("the built-in images are %s", strings.Join(known, " and "))
}

// refuseBuiltIn is for what needs an image that a registry has.
func refuseBuiltIn(completeName string) error {
	if !drydock.IsBuiltIn(completeName) {
		return nil
	}
	return drydock.Errorf(drydock.Invalid, "%s is built into Drydock: it is for the cmd of steps alone", strings.TrimSuffix(imageName(completeName), ":latest")).
		WithHint("no registry has it, so it can't be pulled, built on, tagged or pushed")
}

// machineTrust returns the certificates that this machine trusts.
func machineTrust() []byte {
	for _, file := range bundleFiles {
		if text, err := os.ReadFile(file); err == nil {
			return text
		}
	}
	return nil
}

// programHint says what an image that has one program lacks, if a container of
// it is to run another.
func (f *rootfs) programHint() string {
	if len(f.mounts) == 0 {
		return ""
	}
	return fmt.Sprintf(" (the built-in image has %s alone, and no shell; name an image that has both, or set the alias to one)", f.mounts[0].Destination)
}
