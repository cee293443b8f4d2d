package source

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/drydockhq/drydock"
)

// zstdWindow is the most memory that a zstd stream may ask for, in bytes; what
// `zstd --long` writes needs as much.
const zstdWindow = 128 << 20

// xzMemory is the same for xz; `xz -9` needs 65 MiB.
const xzMemory = "256MiB"

// magics are how compressed streams begin.
var magics = []struct {
	name  string
	begin string
}{
	{"gzip", "\x1f\x8b"},
	{"bzip2", "BZh"},
	{"xz", "\xfd7zXZ\x00"},
	{"zstd", "\x28\xb5\x2f\xfd"},
	{"zip", "PK\x03\x04"},
	{"html", "<!"},
	{"html", "<html"},
}

// compression names what a stream begins with, "" for anything else.
func compression(begin []byte) string {
	for _, m := range magics {
		if bytes.HasPrefix(bytes.ToLower(begin), bytes.ToLower([]byte(m.begin))) {
			return m.name
		}
	}
	return ""
}

// decompress returns what a stream holds, whatever it is compressed with. The
// caller closes it after reading, before the stream ends.
func (f *Fetcher) decompress(ctx context.Context, stream io.Reader, name string) (io.ReadCloser, error) {
	r := bufio.NewReaderSize(stream, 64<<10)
	begin, err := r.Peek(6)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	switch kind := compression(begin); {
	case len(begin) == 0:
		return nil, drydock.Errorf(drydock.Invalid, "%s is empty", name).WithHint("%s", archiveHint)
	case kind == "gzip":
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, drydock.Errorf(drydock.Invalid, "unpacking %s: %w", name, err).WithHint("is it complete? %s", archiveHint)
		}
		return z, nil
	case kind == "bzip2":
		return io.NopCloser(bzip2.NewReader(r)), nil
	case kind == "zstd":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return nil, drydock.Errorf(drydock.Invalid, "unpacking %s: %w", name, err)
		}
		return z.IOReadCloser(), nil
	case kind == "xz":
		return f.xz(ctx, r, name)
	case kind == "zip":
		return nil, drydock.Errorf(drydock.Invalid, "%s is a zip archive", name).WithHint("a source is a tar archive: make it with tar -czf")
	case kind == "html":
		return nil, drydock.Errorf(drydock.Invalid, "%s is a web page, not a tar archive", name).
			WithHint("does the URL need a login, or is it meant as a git URL that ends in .git")
	default:
		return io.NopCloser(r), nil
	}
}

// xz unpacks by the xz program: no library of Go is as well looked after.
func (f *Fetcher) xz(ctx context.Context, r io.Reader, name string) (io.ReadCloser, error) {
	path, err := f.program("xz")
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "unpacking %s: %w", name, err).WithHint("install xz-utils, or compress it with gzip")
	}
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, path, "--decompress", "--stdout", "--quiet", "--memlimit-decompress="+xzMemory)
	cmd.Env, cmd.Stdin = []string{"LC_ALL=C"}, r
	cmd.WaitDelay = time.Second
	p := &process{cmd: cmd, cancel: cancel, name: name}
	cmd.Stderr = &p.stderr
	if p.out, err = cmd.StdoutPipe(); err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, drydock.Errorf(drydock.Unavailable, "unpacking %s: starting xz: %w", name, err)
	}
	return p, nil
}

// process is the output of a program that unpacks.
type process struct {
	cmd    *exec.Cmd
	cancel context.CancelFunc
	name   string
	out    io.Reader
	stderr tail
	done   bool
	err    error
}

// Read returns the program's failure in place of the end of its output.
func (p *process) Read(buf []byte) (int, error) {
	n, err := p.out.Read(buf)
	if errors.Is(err, io.EOF) {
		if err := p.wait(); err != nil {
			return n, drydock.Errorf(drydock.Invalid, "unpacking %s: %w: %s", p.name, err, p.stderr.String())
		}
	}
	return n, err
}

// Close ends the program.
func (p *process) Close() error {
	p.cancel()
	_ = p.wait() // it was stopped by us, or Read has told
	return nil
}

func (p *process) wait() error {
	if !p.done {
		p.done, p.err = true, p.cmd.Wait()
	}
	return p.err
}
