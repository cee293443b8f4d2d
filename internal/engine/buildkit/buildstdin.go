package buildkit

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/moby/buildkit/session/upload/uploadprovider"
	"github.com/tonistiigi/fsutil"

	"github.com/drydockhq/drydock"
)

// dockerfileFrom reads the Dockerfile from standard input.
func (c *buildContext) dockerfileFrom(r io.Reader) error {
	if r == nil {
		return drydock.Errorf(drydock.Invalid, "-f -: the step has no standard input").
			WithHint("pipe a Dockerfile into `docker build -f - .`")
	}
	data, err := io.ReadAll(io.LimitReader(r, maxDockerfile+1))
	if err != nil {
		return fmt.Errorf("reading the Dockerfile from standard input: %w", err)
	}
	return c.useDockerfile("Dockerfile", data)
}

// maxDockerfile is far beyond any Dockerfile written by hand.
const maxDockerfile = 4 << 20

// useDockerfile makes data the Dockerfile of the build, called name.
func (c *buildContext) useDockerfile(name string, data []byte) error {
	if len(data) > maxDockerfile {
		return drydock.Errorf(drydock.Invalid, "the Dockerfile is larger than %d bytes", maxDockerfile)
	}
	dir := filepath.Join(c.dir, dockerfileFolder)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("writing the Dockerfile: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		return fmt.Errorf("writing the Dockerfile: %w", err)
	}
	files, err := fsutil.NewFS(dir)
	if err != nil {
		return fmt.Errorf("writing the Dockerfile: %w", err)
	}
	c.dirs[dockerfileFolder], c.filename = files, name
	return nil
}

// openStdin takes standard input for an archive or, failing that, for a
// Dockerfile without a context, as docker does.
func (c *buildContext) openStdin(b *build) error {
	if b.Stdin == nil {
		return drydock.Errorf(drydock.Invalid, "the context is standard input, and the step has none").
			WithHint("pipe an archive or a Dockerfile into `docker build -`")
	}
	head := make([]byte, 512)
	n, err := readFull(b.Stdin, head)
	if err != nil {
		return fmt.Errorf("reading the context from standard input: %w", err)
	}
	head = head[:n]
	whole := io.MultiReader(bytes.NewReader(head), b.Stdin)
	if isArchive(head) {
		c.upload = uploadprovider.New()
		c.url, c.filename = c.upload.Add(io.NopCloser(whole)), remoteDockerfile(b.Flags.Dockerfile)
		return nil
	}
	empty := filepath.Join(c.dir, "empty")
	if err := os.Mkdir(empty, 0o700); err != nil {
		return fmt.Errorf("making an empty context: %w", err)
	}
	files, err := fsutil.NewFS(empty)
	if err != nil {
		return fmt.Errorf("making an empty context: %w", err)
	}
	c.dirs[contextFolder] = files
	return c.dockerfileFrom(whole)
}

// isArchive recognises tar and what compresses it.
func isArchive(head []byte) bool {
	for _, magic := range []string{"\x1f\x8b", "BZh", "\xfd7zXZ\x00", "\x28\xb5\x2f\xfd"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	const at = 257
	return len(head) > at+5 && string(head[at:at+5]) == "ustar"
}

func remoteDockerfile(name string) string {
	if name == "" {
		return "Dockerfile"
	}
	return name
}
