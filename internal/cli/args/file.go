package args

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// fromFile returns a value, or the content of the file that it names: "@name",
// or "@-" for standard input, also after the first "=" of it. A name without a
// file is a value as it stands, as the Azure CLI has it.
func (e *Expander) fromFile(value string) (string, error) {
	key, name, ok := strings.Cut(value, "=@")
	prefix := key + "="
	if strings.HasPrefix(value, "@") {
		prefix, name, ok = "", value[1:], true
	} else if strings.Contains(key, "=") {
		ok = false
	}
	if !ok || name == "" {
		return value, nil
	}
	if name == "-" {
		text, err := io.ReadAll(e.Stdin)
		if err != nil {
			return "", fmt.Errorf("reading standard input for %q: %w", value, err)
		}
		return prefix + withoutEnd(text), nil
	}
	text, err := e.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return value, nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the file of %q: %w", value, err)
	}
	return prefix + withoutEnd(text), nil
}

func withoutEnd(text []byte) string { return strings.TrimRight(string(text), "\r\n") }
