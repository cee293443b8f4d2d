package vault

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/drydockhq/drydock"
)

// Files is a source with a file for each secret, named as the secret is. A line
// end at the end of a file is not part of the secret. Files are read anew each
// time.
type Files struct{ Dir string }

var _ Source = Files{}

// Secret implements Source.
func (f Files) Secret(_ context.Context, name, version string) (string, error) {
	if err := noVersion(version); err != nil {
		return "", err
	}
	root, err := os.OpenRoot(f.Dir)
	if err != nil {
		return "", drydock.Errorf(drydock.Unavailable, "opening the folder of a vault: %w", err)
	}
	defer root.Close()
	file, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", drydock.Errorf(drydock.NotFound, "the folder of the vault has no file %s", name)
	}
	if err != nil {
		return "", drydock.Errorf(drydock.Unavailable, "reading a secret of a folder: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxValue+3))
	if err != nil {
		return "", drydock.Errorf(drydock.Unavailable, "reading a secret of a folder: %w", err)
	}
	value := trimLine(string(text))
	if len(value) > maxValue {
		return "", drydock.Errorf(drydock.Invalid, "the file %s is longer than %d bytes, which is too long for a secret", name, maxValue)
	}
	return value, nil
}

// trimLine takes away one line end.
func trimLine(s string) string {
	if n := len(s); n > 0 && s[n-1] == '\n' {
		s = s[:n-1]
		if n := len(s); n > 0 && s[n-1] == '\r' {
			s = s[:n-1]
		}
	}
	return s
}
