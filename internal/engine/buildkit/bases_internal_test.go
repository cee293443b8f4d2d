package buildkit

import (
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/buildflags"
	"github.com/drydockhq/drydock/internal/engine"
)

// Whatever a Dockerfile says, it is read without a panic, and each base has a
// name.
func FuzzBases(f *testing.F) {
	for _, seed := range []string{
		"", "FROM scratch", "FROM a\n", "FROM a AS b\nFROM b\nCOPY --from=c:1 / /\nRUN --mount=from=d,target=/d x\n",
		"ARG A=b\nFROM --platform=$BUILDPLATFORM $A:${TARGETARCH}\n", "# escape=`\nFROM `\n a\n", "# syntax=x/y\nFROM a\n",
		"FROM a\nRUN <<EOF\nFROM b\nEOF\n", "FROM a@sha256:0000000000000000000000000000000000000000000000000000000000000000\nONBUILD RUN x\n",
		"ARG SOURCE_DATE_EPOCH=context\nFROM a\nADD https://example.com/x.git /\nUSER $U\nWORKDIR $W\n",
	} {
		f.Add(seed, "b", "1.2")
	}
	f.Fuzz(func(t *testing.T, dockerfile, target, value string) {
		flags := &buildflags.Build{
			Context: ".", Target: target, Args: []buildflags.Arg{{Name: "A", Value: value, HasValue: true}, {Name: "U"}},
			BuildContexts: []buildflags.Arg{{Name: "c", Value: "docker-image://other", HasValue: true}, {Name: "d", Value: "folder", HasValue: true}},
		}
		bases, err := basesOf(t.Context(), []byte(dockerfile), engine.Build{Flags: flags})
		if err != nil {
			return
		}
		for _, b := range bases {
			if _, err := drydock.ParseImageName(b.Image.String()); err != nil || b.Kind == "" {
				t.Errorf("base %+v: %v", b, err)
			}
		}
	})
}
