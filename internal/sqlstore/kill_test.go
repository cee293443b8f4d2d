package sqlstore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/sqlstore"
)

// writerEnv names a database; a test program that has it writes there until it
// is killed.
const writerEnv = "SQLSTORE_TEST_WRITE_TO"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerEnv); path != "" {
		fmt.Fprintln(os.Stderr, writeForever(context.Background(), path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// What a process was told is stored is there after it was killed, and no half
// of anything else.
func TestNothingIsLostByKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "drydock.db")
	last := 0
	for round := range 8 {
		told := writeAndKill(t, path, 10+7*round)
		s := open(t, path)
		events, err := s.Events(t.Context(), 0, 1_000_000)
		if err != nil {
			t.Fatal(err)
		}
		cursor, err := s.EventCursor(t.Context(), "writer")
		if err != nil {
			t.Fatal(err)
		}
		if len(events) < last+told {
			t.Fatalf("round %d: %d events are left of %d", round, len(events), last+told)
		}
		if int(cursor) != len(events) {
			t.Fatalf("round %d: %d events, and the cursor that moves with them is at %d", round, len(events), cursor)
		}
		last = len(events)
	}
}

// writeAndKill kills a writer after it has told of some transactions, and
// returns of how many.
func writeAndKill(t *testing.T, path string, n int) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), writerEnv+"="+path)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	told := 0
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if told++; told == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Exited() || told < n {
		t.Fatalf("the writer told of %d transactions and ended with %v: %s", told, err, stderr.String())
	}
	return told
}

func writeForever(ctx context.Context, path string) error {
	s, err := sqlstore.Open(ctx, path)
	if err != nil {
		return err
	}
	for {
		err := s.Atomically(ctx, func(ctx context.Context) error {
			n, err := s.EventCursor(ctx, "writer")
			if err != nil {
				return err
			}
			e, err := s.AppendEvent(ctx, drydock.Event{ID: strconv.FormatInt(n, 10)})
			if err != nil {
				return err
			}
			return s.MoveEventCursor(ctx, "writer", e.Number)
		})
		if err != nil {
			return err
		}
		fmt.Println("stored")
	}
}
