package buildkit_test

import (
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/registry"
)

func TestBuildErrors(t *testing.T) {
	t.Parallel()
	e := newExecutor(t, buildkit.Config{})
	base := newRegistry(t, registry.Options{}, "busybox").Host + "/busybox"
	r := openRun(t, e, `
-- Dockerfile.missing --
FROM `+base+`
COPY nothere /
-- Dockerfile.mode --
FROM `+base+`
COPY script.sh /
RUN /script.sh
-- script.sh --
#!/bin/sh
`)
	for args, says := range map[string][]string{
		"-f Dockerfile.missing .":        {`Dockerfile.missing:2:`, `"/nothere" is not there`, ".dockerignore"},
		"-f Dockerfile.mode .":           {`Dockerfile.mode:3:`, "chmod +x"},
		"http://127.0.0.1:1/nothing.git": {"127.0.0.1", "can this machine reach it"},
	} {
		wantError(t, r.buildError(strings.Fields(args)...), drydock.Failed, says...)
	}
}
