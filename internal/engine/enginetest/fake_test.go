package enginetest_test

import (
	"testing"

	"github.com/drydockhq/drydock/internal/engine/enginetest"
)

func TestFake(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, func(*testing.T) enginetest.Fixture {
		const busybox = "registry.test/busybox:1"
		registry := enginetest.NewRegistry(busybox)
		return enginetest.Fixture{
			Executor: &enginetest.Fake{
				Registry: registry,
				Programs: map[string]enginetest.Program{busybox: enginetest.Busybox},
			},
			Busybox:  busybox,
			Registry: "registry.test",
			Digest:   registry.Digest,
		}
	})
}
