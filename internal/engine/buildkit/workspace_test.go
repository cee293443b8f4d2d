package buildkit_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
)

// treeHash is a hash of all names, modes, times and contents below dir.
func treeHash(t *testing.T, dir string) string {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(h, path, info.Mode(), info.ModTime().UnixNano(), info.Size())
		switch {
		case info.Mode().IsRegular():
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			_, _ = h.Write(data)
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			fmt.Fprintln(h, target)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func TestSourceIsNotWritten(t *testing.T) {
	t.Parallel()
	source := t.TempDir()
	writeFiles(t, source, "-- a --\none\n-- sub/b --\ntwo\n-- Dockerfile --\nFROM scratch\nCOPY . /\n")
	if err := os.Symlink("a", filepath.Join(source, "link")); err != nil {
		t.Fatal(err)
	}
	before := treeHash(t, source)
	r, busybox := newBox(t, "", func(s *engine.RunSpec) { s.Source = source })
	r.run(busybox, "echo x >a; echo y >link; chmod 777 sub; chown 5:5 sub/b; rm -r sub; mkdir sub; touch sub/b new; rm link; mkfifo link; touch -d 2001-01-01 a")
	r.build("-t", "copy", ".")
	f, err := r.OpenFile("", "a", os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(f, "again")
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	r.close()
	wantEqual(t, "hash of the source", treeHash(t, source), before)
}

// secret is a text that no step, build or redirection may read.
const secret = "a secret of this machine"

// outside makes a folder that a task must not reach.
func outside(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte(secret), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLinksOutOfTheWorkspace(t *testing.T) {
	t.Parallel()
	dir := outside(t)
	r, busybox := newBox(t, "-- Dockerfile --\nFROM scratch\nCOPY . /\n")
	up := strings.Repeat("../", 20)
	r.run(busybox, "ln -s "+dir+" abs; ln -s "+up+dir[1:]+" rel; ln -s "+dir+"/file file; mkdir sub; ln -s ../"+up+dir[1:]+"/file sub/file; ln -s /proc/self/root proc")
	for _, name := range []string{"abs/file", "rel/file", "file", "sub/file", "proc" + dir + "/file", up + dir[1:] + "/file", dir + "/file"} {
		if f, err := r.OpenFile("", name, os.O_RDONLY, 0); err == nil {
			t.Errorf("%s was opened", name)
			f.Close()
		}
	}
	for _, name := range []string{"abs", "rel", "sub/../abs", dir, ".."} {
		wantError(t, r.buildError(name), drydock.Invalid)
		wantError(t, r.buildError("-f", name+"/file", "."), drydock.Invalid)
	}
	if _, err := os.ReadFile(filepath.Join(dir, "file")); err != nil {
		t.Error(err)
	}
	// Inside the container, a link leads to the container's own files.
	r.build("-t", "links", ".")
	wantContains(t, "what a step reads", r.run(busybox, "cat file 2>&1; true"), "No such file")
}

// A step that swaps a folder for a link while others look at it gains nothing.
func TestSwappedLink(t *testing.T) {
	t.Parallel()
	dir := outside(t)
	r, busybox := newBox(t, "-- file --\ninside\n-- Dockerfile --\nFROM scratch\nCOPY . /\n")
	ctx, cancel := context.WithCancel(t.Context())
	c, _ := r.box("swapper", busybox, "sh", "-c", `mkdir real; echo inside >real/file; cp Dockerfile real; ln -s `+dir+` evil
while :; do mv real p; mv p real; mv evil p; mv p evil; done`)
	started, ended := make(chan struct{}), make(chan error, 1)
	c.Started = func() { close(started) }
	go func() { ended <- r.Run(ctx, c) }()
	<-started
	var opened int
	for deadline := time.Now().Add(3 * time.Second); time.Now().Before(deadline); {
		f, err := r.OpenFile("", "p/file", os.O_RDONLY, 0)
		if err != nil {
			continue
		}
		data, err := io.ReadAll(f)
		f.Close()
		if err == nil && string(data) != "inside\n" {
			t.Fatalf("read %q through a swapped link", data)
		}
		opened++
	}
	if opened == 0 {
		t.Error("the file was never there: nothing was tried")
	}
	var built []string
	for i := range 40 {
		tag := fmt.Sprintf("swapped%d", i)
		if _, err := r.try(t.Context(), nil, "-t", tag, "-f", "Dockerfile", "p"); err == nil {
			built = append(built, tag)
		}
	}
	cancel()
	<-ended
	if len(built) == 0 {
		t.Error("the folder was never there: nothing was built")
	}
	for _, tag := range built[:min(len(built), 3)] {
		if text := r.copied(busybox, tag); strings.Contains(text, secret) {
			t.Fatal("a build read through a swapped link")
		}
	}
}

// copied returns the files at the top of an image without a shell.
func (r *testRun) copied(busybox, image string) string {
	r.t.Helper()
	r.write("-- Dockerfile.reader --\nFROM " + busybox + "\nCOPY --from=" + image + " / /copied\n")
	r.build("-t", "reader", "-f", "Dockerfile.reader", ".")
	return r.run("reader", "cat /copied/*")
}

// Pipes and devices in the workspace hang nobody, and are nothing to read from.
func TestSpecialFiles(t *testing.T) {
	t.Parallel()
	r, busybox := newBox(t, "-- Dockerfile --\nFROM scratch\nCOPY . /\n-- two/Dockerfile --\nFROM scratch\n")
	r.run(busybox, "mkfifo pipe two/pipe; mknod zero c 1 5; mknod disk b 254 0; nc -lU socket & sleep 0.1; mkdir folder; true")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, name := range []string{"pipe", "zero", "disk", "folder", "two/pipe"} {
		for _, flag := range []int{os.O_RDONLY, os.O_WRONLY, os.O_WRONLY | os.O_CREATE | os.O_TRUNC, os.O_RDWR} {
			if f, err := r.OpenFile("", name, flag, 0o644); err == nil {
				t.Errorf("%s was opened with %#x", name, flag)
				f.Close()
			}
		}
	}
	for _, args := range [][]string{
		{"-f", "pipe", "."},
		{"-f", "zero", "."},
		{"--secret", "id=x,src=pipe", "."},
		{"pipe"},
	} {
		if out, err := r.try(ctx, nil, args...); err == nil {
			t.Errorf("build %q succeeded\n%s", args, out)
		}
	}
	if _, err := r.try(ctx, nil, "two"); err != nil {
		t.Errorf("a pipe in the context: %v", err)
	}
	if ctx.Err() != nil {
		t.Error("something hung")
	}
}
