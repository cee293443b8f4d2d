package sourcetar_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/sourcetar"
)

// folder makes a folder of the files of a txtar.
func folder(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(text)).Files {
		name := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// pack returns the entries of a source's archive, one a line: mode, name,
// where a link leads to, size.
func pack(s sourcetar.Source) (string, error) {
	var b bytes.Buffer
	if _, err := s.Write(context.Background(), &b); err != nil {
		return "", err
	}
	z, err := gzip.NewReader(&b)
	if err != nil {
		return "", err
	}
	var lines strings.Builder
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return lines.String(), nil
		}
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&lines, "%04o %s", h.Mode, h.Name)
		if h.Linkname != "" {
			fmt.Fprintf(&lines, " -> %s", h.Linkname)
		}
		if h.Size > 0 {
			fmt.Fprintf(&lines, " %d", h.Size)
		}
		fmt.Fprintln(&lines)
		if _, err := io.Copy(io.Discard, r); err != nil {
			return "", err
		}
	}
}

func expect(t *testing.T, s sourcetar.Source, want string) {
	t.Helper()
	got, err := pack(s)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	dir := folder(t, "-- Dockerfile --\nFROM x\n-- .git/config --\nx\n-- .gitignore --\nx\n-- sub/.git/config --\nx\n-- sub/run.sh --\nrun\n")
	if err := os.Chmod(filepath.Join(dir, "sub/run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("sub/run.sh", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../link", filepath.Join(dir, "sub/up")); err != nil {
		t.Fatal(err)
	}
	expect(t, sourcetar.Source{Dir: dir, Dockerfile: filepath.Join(dir, "Dockerfile"), NameInTar: "ab_Dockerfile"}, `0644 .gitignore 2
0644 Dockerfile 7
0777 link -> sub/run.sh
0755 sub/
0755 sub/.git/
0644 sub/.git/config 2
0755 sub/run.sh 4
0777 sub/up -> ../link
0644 ab_Dockerfile 7
`)
}

func TestIgnore(t *testing.T) {
	t.Parallel()
	const files = "-- a/b/c.txt --\n-- a/b/d.md --\n-- a/e.txt --\n-- node_modules/m/x.js --\n-- Dockerfile --\n-- z.log --\n"
	tests := []struct{ name, ignore, want string }{
		{"nothing", "# comment\n", ".dockerignore Dockerfile a/ a/b/ a/b/c.txt a/b/d.md a/e.txt node_modules/ node_modules/m/ node_modules/m/x.js z.log"},
		{"a folder and files", "node_modules\n*.log\n**/*.md\n", ".dockerignore Dockerfile a/ a/b/ a/b/c.txt a/e.txt"},
		{"all but one", "*\n!a/b/c.txt\n", "a/ a/b/ a/b/c.txt"},
		{"all but a pattern at any depth", "*\n!**/*.md\n", "a/ a/b/ a/b/d.md"},
		{"later lines win", "a\n!a/b\na/b/c.txt\nnode_modules\n.dockerignore\n", "Dockerfile a/ a/b/ a/b/d.md z.log"},
		{"everything", "**\n", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, files+"-- .dockerignore --\n"+test.ignore)
			got, err := pack(sourcetar.Source{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for line := range strings.Lines(got) {
				names = append(names, strings.Fields(line)[1])
			}
			if diff := cmp.Diff(test.want, strings.Join(names, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestIgnoreFileOfDockerfile(t *testing.T) {
	t.Parallel()
	dir := folder(t, "-- a.Dockerfile --\nx\n-- a.Dockerfile.dockerignore --\n*\n-- .dockerignore --\n-- b --\n")
	expect(t, sourcetar.Source{Dir: dir, Dockerfile: filepath.Join(dir, "a.Dockerfile"), NameInTar: "x_a.Dockerfile"}, "0644 x_a.Dockerfile 2\n0644 x_a.Dockerfile.dockerignore 2\n")
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	link := func(target string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Symlink(target, filepath.Join(dir, "link")); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := []struct {
		name, want string
		spoil      func(*testing.T, string)
		source     sourcetar.Source
	}{
		{name: "absolute link", spoil: link("/etc/passwd"), want: `"link" is a symbolic link that leads out of the folder, to "/etc/passwd" (leave it out with a line in .dockerignore)`},
		{name: "link to above", spoil: link("../x"), want: `"link" is a symbolic link that leads out of the folder, to "../x" (leave it out with a line in .dockerignore)`},
		{name: "no Dockerfile", source: sourcetar.Source{Dockerfile: "/nowhere/Dockerfile"}, want: "opening the Dockerfile: open /nowhere/Dockerfile: no such file or directory"},
		{name: "Dockerfile is a folder", source: sourcetar.Source{Dockerfile: "/"}, want: `the Dockerfile "/" is no file`},
		{name: "no folder", source: sourcetar.Source{Dir: "/nowhere"}, want: "opening the source folder: open /nowhere: no such file or directory"},
		{name: "pattern", spoil: func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, ".dockerignore"), []byte("a[\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, want: "reading .dockerignore: syntax error in pattern"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if test.source.Dir == "" {
				test.source.Dir = t.TempDir()
			}
			if test.spoil != nil {
				test.spoil(t, test.source.Dir)
			}
			_, err := pack(test.source)
			if err == nil || err.Error() != test.want || drydock.CodeOf(err) != drydock.Invalid {
				t.Errorf("got %v (%s), want %s", err, drydock.CodeOf(err), test.want)
			}
		})
	}
}

func TestSocketsAreLeftOut(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "sock") // the names of tests are too long for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	expect(t, sourcetar.Source{Dir: dir}, "")
}

func TestCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	_, err := sourcetar.Source{Dir: folder(t, "-- a --\n")}.Write(ctx, io.Discard)
	if err == nil || err.Error() != "enough" {
		t.Errorf("got %v", err)
	}
}
