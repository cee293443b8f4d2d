package images

import (
	"bytes"
	"cmp"
	"context"
	"debug/elf"
	"fmt"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// program returns the path of the program called name, which Debian's package
// pkg installs. It looks in the folders of packages only, so that what a user
// installed by hand is not taken for it.
func program(name, pkg string) (string, error) {
	for _, dir := range []string{"/usr/bin", "/bin", "/usr/sbin", "/sbin"} {
		if found, err := filepath.EvalSymlinks(filepath.Join(dir, name)); err == nil {
			return found, nil
		}
	}
	return "", missing(pkg, exec.ErrNotFound)
}

// busyboxLayer is a root file system with busybox and nothing else.
func busyboxLayer(ctx context.Context) (layer, error) {
	busybox, err := program("busybox", "busybox-static")
	if err != nil {
		return layer{}, err
	}
	b, err := readBinary(busybox)
	if err != nil {
		return layer{}, err
	}
	if b.loader != "" {
		return layer{}, missing("busybox-static", fmt.Errorf("%s is not static", busybox))
	}
	list, err := exec.CommandContext(ctx, busybox, "--list-full").Output()
	if err != nil {
		return layer{}, fmt.Errorf("listing the applets of busybox: %w", cmp.Or(context.Cause(ctx), err))
	}
	t := rootTree()
	for applet := range bytes.Lines(list) {
		name := strings.TrimSpace(string(applet))
		if name != "linuxrc" && path.Base(name) != "busybox" {
			t.symlink(name, "/bin/busybox")
		}
	}
	t.copy("bin/busybox", 0o755, busybox)
	return layer{name: "busybox", tree: t}, nil
}

// rootTree returns the folders and files that every Linux has.
func rootTree() tree {
	t := tree{}
	for _, dir := range []string{
		"bin", "dev", "etc", "home", "lib", "mnt", "opt", "proc", "run", "sbin", "srv", "sys",
		"usr/bin", "usr/lib", "usr/local/bin", "usr/local/lib", "usr/sbin", "var/log",
	} {
		t.dir(dir, 0o755)
	}
	t.dir("root", 0o700)
	for _, dir := range []string{"tmp", "var/tmp"} {
		t.put(dir, entry{mode: fs.ModeDir | fs.ModeSticky | 0o777})
	}
	t.file("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\n"+
		"daemon:x:1:1:daemon:/usr/sbin:/bin/false\n"+
		"www-data:x:33:33:www-data:/var/www:/bin/false\n"+
		"node:x:1000:1000:node:/home/node:/bin/sh\n"+
		"nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n")
	t.file("etc/group", 0o644, "root:x:0:\ndaemon:x:1:\nwww-data:x:33:\nnode:x:1000:\nnogroup:x:65534:\n")
	t.file("etc/nsswitch.conf", 0o644, "passwd: files\ngroup: files\nhosts: files dns\n")
	t.file("etc/os-release", 0o644, "ID=drydock-test\nNAME=\"Drydock test image\"\nPRETTY_NAME=\"Drydock test image\"\n")
	return t
}

// single returns the recipe of an image of this machine's platform.
func single(config v1.Config, layers ...layer) *recipe {
	return &recipe{images: []imageRecipe{{architecture: runtime.GOARCH, config: config, layers: layers}}}
}

func busyboxRecipe(ctx context.Context) (*recipe, error) {
	base, err := busyboxLayer(ctx)
	if err != nil {
		return nil, err
	}
	return single(v1.Config{Env: []string{defaultPath}, Cmd: []string{"sh"}}, base), nil
}

// addDebian adds the program called name of package pkg, with its libraries, to
// t at its own path.
func addDebian(t tree, target, name, pkg string) error {
	found, err := program(name, pkg)
	if err != nil {
		return err
	}
	finder, err := machineLibraries()
	if err != nil {
		return err
	}
	t.copy(target, 0o755, found)
	return finder.addProgram(t, found)
}

// machineLibraries returns a finder for programs that this machine runs.
func machineLibraries() (*libraries, error) {
	arch, err := architectureOf(runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	machine := elf.EM_X86_64
	if arch.oci == "arm64" {
		machine = elf.EM_AARCH64
	}
	return newLibraries(arch, machine)
}

// entrypointScript is the entrypoint that Docker's official images of languages
// and shells have: a first argument that is a flag, no command, or a file that
// can't be executed is given to the program.
func entrypointScript(shell, program string) string {
	return `#!` + shell + `
if [ "${1#-}" != "$1" ] || ! command -v "$1" >/dev/null || { [ -f "$1" ] && ! [ -x "$1" ]; }; then
	set -- ` + program + ` "$@"
fi
exec "$@"
`
}

func bashRecipe(ctx context.Context) (*recipe, error) {
	base, err := busyboxLayer(ctx)
	if err != nil {
		return nil, err
	}
	t := tree{}
	if err := addDebian(t, "bin/bash", "bash", "bash"); err != nil {
		return nil, err
	}
	t.symlink("usr/local/bin/bash", "/bin/bash")
	t.file("usr/local/bin/docker-entrypoint.sh", 0o755, entrypointScript("/bin/bash", "bash"))
	return single(v1.Config{
		Env:        []string{defaultPath},
		Entrypoint: []string{"docker-entrypoint.sh"},
		Cmd:        []string{"bash"},
	}, base, layer{name: "bash", tree: t}), nil
}

func curlRecipe(ctx context.Context) (*recipe, error) {
	base, err := busyboxLayer(ctx)
	if err != nil {
		return nil, err
	}
	t := tree{}
	if err := addDebian(t, "usr/bin/curl", "curl", "curl"); err != nil {
		return nil, err
	}
	const bundle = "/etc/ssl/certs/ca-certificates.crt"
	if !exists(bundle) {
		return nil, missing("ca-certificates", fmt.Errorf("there is no %s", bundle))
	}
	t.copy(bundle, 0o644, bundle)
	return single(v1.Config{
		Env:        []string{defaultPath},
		Entrypoint: []string{"/usr/bin/curl"},
	}, base, layer{name: "curl", tree: t}), nil
}
