package sqlstore_test

import (
	"path/filepath"
	"testing"

	"github.com/drydockhq/drydock/internal/storetest"
)

func TestArtifacts(t *testing.T) {
	t.Parallel()
	storetest.Artifacts(t, func(t *testing.T) storetest.ArtifactStore {
		return open(t, filepath.Join(t.TempDir(), "drydock.db"))
	})
}
