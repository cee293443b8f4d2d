package source_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/source"
)

// compressed runs a program that compresses its input.
func compressed(t *testing.T, data []byte, program ...string) []byte {
	t.Helper()
	cmd := exec.Command(program[0], program[1:]...)
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v (make setup installs what is missing)", program, err)
	}
	return out
}

func TestUnpackCompressions(t *testing.T) {
	t.Parallel()
	plain := archive(t, file("a/run.sh", "#!/bin/sh\n", 0o755))
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"plain.tar": plain, "x.tar.gz": gzipped(t, plain), "x.tgz": compressed(t, plain, "gzip", "-9"),
		"x.tar.bz2": compressed(t, plain, "bzip2"), "x.tar.xz": compressed(t, plain, "xz"), "x.tar.zst": z.EncodeAll(plain, nil),
	} {
		f := newFetcher(t)
		got := f.fetch(write(t, filepath.Join(t.TempDir(), name), data))
		if diff := cmp.Diff([]string{"755 a/", "755 a/run.sh=#!/bin/sh\n"}, tree(t, got.Dir)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestUnpackTree(t *testing.T) {
	t.Parallel()
	f := newFetcher(t)
	changed := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	old := file("src/old.txt", "old", 0o640)
	old.ModTime = changed
	f.Stdin = bytes.NewReader(archive(t,
		entry{Header: tar.Header{Name: "pax_global_header", Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "abc"}}},
		folder("/", 0o700), folder("./", 0o700), folder("./src/", 0o555), old, file("src/suid", "s", 0o7755), file("./deep/er/x", "first", 0o600),
		file("deep/er/x", "second", 0o444), symlink("deep/up", "../src/old.txt"), symlink("dangling", "src/none"), symlink("dir", "deep/er"),
		file("dir/through", "link", 0o644), hardlink("hard", "src/old.txt"), folder("deep/up2", 0o755), file("..data", "dots", 0o644),
	))
	got := f.fetch("-")
	want := []string{
		"644 ..data=dots", "dangling -> src/none", "755 deep/", "755 deep/er/", "644 deep/er/through=link", "444 deep/er/x=second",
		"deep/up -> ../src/old.txt", "755 deep/up2/", "dir -> deep/er", "640 hard=old", "755 src/", "640 src/old.txt=old", "755 src/suid=s",
	}
	if diff := cmp.Diff(want, tree(t, got.Dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	info, err := os.Stat(filepath.Join(got.Dir, "src/old.txt"))
	if err != nil || !info.ModTime().Equal(changed) {
		t.Errorf("changed at %v, %v; want %v", info.ModTime(), err, changed)
	}
}

func TestUnpackRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		entries []entry
		want    string
	}{
		"dotdot":              {[]entry{file("a/../../evil", "x", 0o644)}, `refusing its entry "a/../../evil": "a/../../evil" has a ".." in it`},
		"absolute":            {[]entry{file("/etc/evil", "x", 0o644)}, `refusing its entry "/etc/evil"`},
		"absolute symlink":    {[]entry{symlink("l", "/etc/passwd")}, `refusing its entry "l": the symbolic link leads out of the folder, to "/etc/passwd"`},
		"symlink out":         {[]entry{symlink("a/l", "../../x")}, `refusing its entry "a/l"`},
		"symlink to parent":   {[]entry{symlink("l", "..")}, `refusing its entry "l"`},
		"through a symlink":   {[]entry{symlink("l", ".."), file("l/evil", "x", 0o644)}, `refusing its entry "l"`},
		"chain of symlinks":   {[]entry{folder("a/b", 0o755), symlink("a/here", "../"), symlink("a/b/out", "../here/../x")}, `refusing its entry "a/b/out": the symbolic link leads out`},
		"chain, then through": {[]entry{folder("a/b", 0o755), symlink("a/here", "../"), symlink("a/b/out", "../here/.."), file("a/b/out/evil", "x", 0o644)}, `refusing its entry "a/b/out/evil": it leads out of the folder`},
		"hard link out":       {[]entry{hardlink("h", "../../etc/passwd")}, `refusing its entry "h"`},
		"absolute hard link":  {[]entry{hardlink("h", "/etc/passwd")}, `refusing its entry "h": "/etc/passwd" is absolute`},
		"hard link to none":   {[]entry{hardlink("h", "none")}, `refusing its entry "h": it is a hard link to "none", which the archive does not have`},
		"hard link to folder": {[]entry{folder("d", 0o755), hardlink("h", "d")}, `hard link to the folder "d"`},
		"hard link to itself": {[]entry{file("h", "x", 0o644), hardlink("h", "h")}, "hard link to itself"},
		"character device":    {[]entry{node("null", tar.TypeChar)}, `refusing its entry "null": it is a device or a pipe`},
		"block device":        {[]entry{node("sda", tar.TypeBlock)}, `refusing its entry "sda"`},
		"pipe":                {[]entry{node("pipe", tar.TypeFifo)}, `refusing its entry "pipe"`},
		"absolute folder":     {[]entry{folder("/etc/", 0o755)}, `"/etc/" is absolute`},
		"file for the root":   {[]entry{symlink(".", "x")}, "stands for the whole folder"},
		"link for the root":   {[]entry{symlink("/", "x")}, `refusing its entry "/": "/" is absolute`},
		"file for a folder":   {[]entry{file("d/x", "x", 0o644), file("d", "x", 0o644)}, `unpacking "d" of`},
		"unknown type":        {[]entry{{Header: tar.Header{Name: "u", Typeflag: 'Z'}}}, `refusing its entry "u": it is of the unknown type 'Z'`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFetcher(t)
			outside := filepath.Join(f.Dir, "evil")
			f.Stdin = bytes.NewReader(archive(t, c.entries...))
			if got := f.refused("-", c.want); got.Code != drydock.Invalid {
				t.Errorf("code %s", got.Code)
			}
			if _, err := os.Lstat(outside); err == nil {
				t.Error("it was written outside")
			}
		})
	}
}

func TestUnpackBroken(t *testing.T) {
	t.Parallel()
	whole := gzipped(t, archive(t, file("a", strings.Repeat("x", 5000), 0o644)))
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-6] ^= 0xff // in the checksum
	xz := compressed(t, archive(t, file("a", "x", 0o644)), "xz")
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":       {nil, "the upload is empty"},
		"text":        {[]byte("FROM scratch\n" + strings.Repeat("x", 600)), "is no tar archive"},
		"short text":  {[]byte("FROM scratch\n"), "unexpected EOF"},
		"zip":         {[]byte("PK\x03\x04xxxxxx"), "is a zip archive"},
		"html":        {[]byte("<!DOCTYPE html>"), "is a web page"},
		"truncated":   {whole[:len(whole)/2], "unexpected EOF"},
		"checksum":    {flipped, "invalid checksum"},
		"xz":          {xz[:len(xz)-10], "Unexpected end of input"},
		"bad gzip":    {[]byte("\x1f\x8bnonsense"), "unpacking the upload"},
		"tar cut off": {archive(t, file("a", strings.Repeat("x", 5000), 0o644))[:1024], "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFetcher(t)
			f.Stdin, f.StdinName = bytes.NewReader(c.data), "the upload"
			if e := f.refused("-", c.want); name != "xz" && e.Hint == "" {
				t.Errorf("%v: no hint", e)
			}
			f.Stdin, f.StdinName = bytes.NewReader(c.data), ""
			f.refused("-", "standard input")
		})
	}
}

func TestUnpackWithoutXZ(t *testing.T) {
	t.Parallel()
	f := newFetcher(t)
	f.Stdin = bytes.NewReader(compressed(t, archive(t, file("a", "x", 0o644)), "xz"))
	f.Env = []string{"PATH=/nonexistent"}
	if e := f.refused("-", "xz is not installed"); e.Code != drydock.Unavailable {
		t.Errorf("code %s", e.Code)
	}
}

// zeros is a stream of n zero bytes.
func zeros(n int64) io.Reader { return io.LimitReader(zero{}, n) }

type zero struct{}

func (zero) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// bomb is a gzip stream of an archive with a file of n zeros.
func bomb(t *testing.T, n int64) io.Reader {
	t.Helper()
	out, in := io.Pipe()
	cmd := exec.Command("gzip", "-9")
	cmd.Stdin, cmd.Stdout = out, nil
	go func() {
		w := tar.NewWriter(in)
		err := w.WriteHeader(&tar.Header{Name: "zeros", Typeflag: tar.TypeReg, Size: n, Mode: 0o644})
		if err == nil {
			_, err = io.Copy(w, zeros(n))
		}
		in.CloseWithError(errors.Join(err, w.Close()))
	}()
	data, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(data)
}

func TestUnpackLimits(t *testing.T) {
	t.Parallel()
	many := []entry{}
	for i := range 20 {
		many = append(many, file(strings.Repeat("x", i+1), "12345", 0o644))
	}
	endless := io.MultiReader(bytes.NewReader(gzipped(t, archive(t, file("a", "x", 0o644)))), bytes.NewReader(gzipped(t, make([]byte, 1<<20))))
	for name, c := range map[string]struct {
		limits source.Limits
		data   io.Reader
		want   string
	}{
		"bytes":         {source.Limits{Bytes: 1000}, bytes.NewReader(archive(t, file("a", strings.Repeat("x", 1001), 0o644))), "unpacks to more than 1000B, the limit"},
		"bytes in all":  {source.Limits{Bytes: 20000}, bytes.NewReader(archive(t, append(many, many...)...)), "unpacks to more than 19.53KiB"},
		"entries":       {source.Limits{Entries: 19}, bytes.NewReader(archive(t, many...)), "holds more than 19 files, the limit"},
		"after the end": {source.Limits{Bytes: 100_000}, endless, "unpacks to more than 97.66KiB"},
		"ratio":         {source.Limits{}, bomb(t, 100<<20), "unpacks to more than 500 times its size, the limit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFetcher(t)
			f.Limits, f.Stdin = c.limits, c.data
			f.refused("-", c.want)
		})
	}
}

// A sparse file claims a size that the archive does not hold.
func TestUnpackSparse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(1<<40), f.Close()); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("tar", "-C", dir, "-cSf", "-", "sparse").Output()
	if err != nil {
		t.Fatal(err)
	}
	x := newFetcher(t)
	x.Stdin = bytes.NewReader(out)
	x.refused("-", "unpacks to more than 8GiB, the limit")
}

func TestUnpackIsCancelled(t *testing.T) {
	t.Parallel()
	f := newFetcher(t)
	cause := errors.New("stopped by a test")
	ctx, cancel := context.WithCancelCause(t.Context())
	r, w := io.Pipe()
	f.Stdin = r
	go func() {
		_, _ = w.Write(archive(t, file("a", "x", 0o644))[:1024])
		cancel(cause)
		_, err := io.Copy(w, zeros(1<<30)) // until nobody reads any more
		w.CloseWithError(err)
	}()
	_, err := f.Fetch(ctx, "-")
	r.Close()
	if !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
	f.empty()
}

// FuzzUnpack feeds any bytes: nothing may appear outside the folder, and errors
// are for users.
func FuzzUnpack(f *testing.F) {
	f.Add(archive(f, file("a", "x", 0o644), symlink("b", "a"), hardlink("c", "a"), folder("d", 0o755)))
	f.Add(archive(f, symlink("a", ".."), file("a/x", "x", 0o644)))
	f.Add(archive(f, folder("a/b", 0o755), symlink("a/here", "../"), symlink("a/b/out", "../here/.."), file("a/b/out/evil", "x", 0o644)))
	f.Add(gzipped(f, archive(f, file("../x", "x", 0o644))))
	f.Add([]byte("\x28\xb5\x2f\xfd\x04\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		top := t.TempDir()
		x := source.Fetcher{Dir: filepath.Join(top, "scratch"), Stdin: bytes.NewReader(data), Limits: source.Limits{Bytes: 1 << 20, Entries: 100}}
		if err := os.Mkdir(x.Dir, 0o755); err != nil {
			t.Fatal(err)
		}
		got, err := x.Fetch(t.Context(), "-")
		var user *drydock.Error
		if err != nil && !errors.As(err, &user) {
			t.Errorf("%v is no *drydock.Error", err)
		}
		if err == nil {
			if siblings, _ := os.ReadDir(filepath.Dir(got.Dir)); len(siblings) != 1 {
				t.Errorf("written outside: %v", siblings)
			}
			if err := got.Close(); err != nil {
				t.Error(err)
			}
		}
		for _, dir := range []string{top, x.Dir} {
			entries, _ := os.ReadDir(dir)
			if len(entries) != 0 && (dir != top || len(entries) != 1) {
				t.Errorf("left in %s: %v", dir, entries)
			}
		}
	})
}
