package source

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// program looks a program up in the PATH of the fetcher's environment.
func (f *Fetcher) program(name string) (string, error) {
	for _, dir := range filepath.SplitList(f.env("PATH")) {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if filepath.IsAbs(path) && err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed", name)
}

// env returns a variable of the fetcher's environment, "" when it is not set.
func (f *Fetcher) env(name string) string {
	for _, v := range slices.Backward(f.Env) {
		if n, value, ok := strings.Cut(v, "="); ok && n == name {
			return value
		}
	}
	return ""
}

// tail keeps the end of what is written to it: where programs say why they
// failed.
type tail struct{ buf []byte }

// tailSize is how much a tail keeps, in bytes.
const tailSize = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - tailSize; over > 0 {
		t.buf = slices.Delete(t.buf, 0, over)
	}
	return len(p), nil
}

// String returns what was kept, without blanks around it.
func (t *tail) String() string { return strings.TrimSpace(string(t.buf)) }
