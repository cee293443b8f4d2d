package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"

	"go.yaml.in/yaml/v3"
)

func (p *printer) text() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(p.value); err != nil {
		return nil, fmt.Errorf("writing the result as JSON: %w", err)
	}
	return b.Bytes(), nil
}

func (p *printer) json() error {
	text, err := p.text()
	if err != nil {
		return err
	}
	_, err = p.w.Write(text)
	return err
}

// token is a key, a string, or another scalar, at the end or the beginning of a
// line of indented JSON.
var token = regexp.MustCompile(`"(?:[^"\\]|\\.)*":?|\b(?:true|false|null)\b|-?\b\d[0-9.eE+-]*`)

// Colours of jsonc, as terminals know them.
const (
	blue   = "\x1b[34m"
	yellow = "\x1b[33m"
	cyan   = "\x1b[36m"
	plain  = "\x1b[0m"
)

func (p *printer) jsonInColor() error {
	if !p.o.Color {
		return p.json()
	}
	text, err := p.text()
	if err != nil {
		return err
	}
	_, err = p.w.Write(token.ReplaceAllFunc(text, func(t []byte) []byte {
		color := cyan
		switch {
		case t[len(t)-1] == ':':
			return append(append([]byte(blue), t[:len(t)-1]...), plain+":"...)
		case t[0] == '"':
			color = yellow
		}
		return append(append([]byte(color), t...), plain...)
	}))
	return err
}

func (p *printer) yaml() error {
	e := yaml.NewEncoder(p.w)
	e.SetIndent(2)
	if err := e.Encode(p.value); err != nil {
		return fmt.Errorf("writing the result as YAML: %w", err)
	}
	return e.Close()
}
