package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock/internal/certs"
	"github.com/drydockhq/drydock/internal/config"
)

// The unit's command line is one that the program takes.
func TestServiceUnit(t *testing.T) {
	t.Parallel()
	unit, err := os.ReadFile("../../packaging/drydockd.service")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(unit)) {
		command, ok := strings.CutPrefix(strings.TrimSpace(line), "ExecStart=/usr/local/bin/drydockd serve ")
		if !ok {
			continue
		}
		newBench(t).expect(t, 0, []string{"data: /var/lib/drydock # --data"}, nil, append([]string{"config"}, strings.Fields(command)...)...)
		return
	}
	t.Error("the unit does not start a server")
}

// The configuration files in the documentation are such that can be read.
func TestDocumentedConfiguration(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/server.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := certs.OpenAuthority(dir, "example", time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "oidc-secret"), []byte("hush"), 0o600); err != nil {
		t.Fatal(err)
	}
	whole := false
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(page, -1) {
		text := strings.ReplaceAll(string(block[1]), "/etc/drydock/", dir+"/")
		c, _, err := config.Load(config.Sources{File: []byte(text), FileName: "docs/server.md"})
		if err != nil {
			t.Errorf("%v, in\n%s", err, text)
			continue
		}
		whole = whole || c.Slots == 4 && len(c.Mirrors["docker.io"]) == 1 && c.CAs["registry.example"] != nil
	}
	if !whole {
		t.Error("docs/server.md shows no configuration with what most servers need")
	}
}
