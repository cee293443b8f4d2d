package storetest_test

import (
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/storetest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	storetest.Runs(t, func(*testing.T) drydock.RunStore {
		return storetest.NewMemory(storetest.Registries()...)
	})
}
