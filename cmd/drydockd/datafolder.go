package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/sqlstore"
)

// openData opens what a server keeps in its data folder, for commands beside it:
// none is made where there is none.
func openData(ctx context.Context, dir string) (*sqlstore.Store, error) {
	file := filepath.Join(dir, databaseFile)
	if _, err := os.Stat(file); err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "the folder %s holds no data of a server", dir).
			WithHint("name its data folder with --data")
	}
	return sqlstore.Open(ctx, file)
}
