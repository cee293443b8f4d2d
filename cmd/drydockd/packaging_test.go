package main

import (
	"os"
	"strings"
	"testing"
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
