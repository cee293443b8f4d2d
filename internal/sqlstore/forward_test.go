package sqlstore_test

import (
	"database/sql"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/sqlstore"
	"github.com/drydockhq/drydock/internal/storetest"
)

// nextSchema is the present schema with made-up later versions, whose statements
// are given.
func nextSchema(t *testing.T, later ...string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	names, err := fs.Glob(sqlstore.SchemaFiles, "schema/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(sqlstore.SchemaFiles, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: text}
	}
	for i, statements := range later {
		files["schema/000"+string(rune('2'+i))+"_next.sql"] = &fstest.MapFile{Data: []byte(statements)}
	}
	return files
}

// A database is brought forward with what is in it. No version was released yet,
// so that the present one is the old one here, and the next ones are made up.
func TestMigrateForward(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "drydock.db")
	s := open(t, path)
	ctx, registry := t.Context(), storetest.Registries()[0]
	for _, id := range []drydock.ResourceID{registry.Parent(), registry} {
		if _, err := s.PutResource(ctx, drydock.Resource{ID: id}, ""); err != nil {
			t.Fatal(err)
		}
	}
	r, err := s.CreateRun(ctx, drydock.RunRecord{Registry: registry, Created: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	second := `CREATE TABLE run_notes (registry TEXT NOT NULL, number BIGINT NOT NULL, note TEXT NOT NULL);
		INSERT INTO run_notes SELECT registry, number, 'of ' || id FROM runs;
		ALTER TABLE settings ADD COLUMN note TEXT NOT NULL DEFAULT 'none';`
	broken := `INSERT INTO run_notes VALUES ('x', 1, 'half'); CREATE TABLE run_notes (again TEXT);`
	if err := sqlstore.Migrate(ctx, s, nextSchema(t, second, broken)); err == nil || !strings.Contains(err.Error(), "schema version 3") {
		t.Errorf("a version that can't be applied: %v", err)
	}
	for range 2 { // the second time there is nothing to do
		if err := sqlstore.Migrate(ctx, s, nextSchema(t, second)); err != nil {
			t.Fatal(err)
		}
	}
	if got := query(t, path, `SELECT group_concat(note) || ' ' || (SELECT max(number) FROM schema_versions) FROM run_notes`); got != "of "+r.ID+" 2" {
		t.Errorf("there is %q", got)
	}
	if err := s.PutSetting(ctx, "key", []byte("value")); err != nil {
		t.Error(err)
	}
	if got, err := s.Run(ctx, registry, r.ID); err != nil || got.Status != drydock.RunQueued {
		t.Errorf("the run is %+v, %v", got, err)
	}
	if _, err := sqlstore.Open(ctx, path); drydock.CodeOf(err) != drydock.Conflict {
		t.Errorf("the program of before opens it: %v", err)
	}
}

// query returns the one value of a query behind the store's back.
func query(t *testing.T, path, statement string) string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var value string
	if err := db.QueryRowContext(t.Context(), statement).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}
