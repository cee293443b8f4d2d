package drydock_test

import (
	"testing"

	"github.com/drydockhq/drydock"
)

func TestRunIDs(t *testing.T) {
	t.Parallel()
	const three = 8*36*36 - 361 // ids of three characters
	for number, want := range map[int64]string{
		1:                         "ca1",
		4:                         "ca4",
		35:                        "caz",
		36:                        "cb0",
		1266:                      "d96",
		three:                     "jzz",
		three + 1:                 "k000",
		three + 7*36*36*36:        "qzzz",
		three + 7*36*36*36 + 1:    "r0000",
		1_000_000_000_000_000_000: "z7lieexwrxd7s",
	} {
		if got := drydock.RunID(number); got != want {
			t.Errorf("RunID(%d) = %q, want %q", number, got, want)
		}
	}
}

func TestRunIDsSortAsTheyWereMade(t *testing.T) {
	t.Parallel()
	before := ""
	for number := int64(1); number < 1e18; number += 1 + number/997 {
		id := drydock.RunID(number)
		if id <= before {
			t.Fatalf("RunID(%d) = %q, which sorts before %q", number, id, before)
		}
		if got, ok := drydock.RunNumber(id); !ok || got != number {
			t.Fatalf("RunNumber(%q) = %d, %v; want %d", id, got, ok, number)
		}
		before = id
	}
}

func TestRunNumberOfOtherTexts(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "c", "ca", "ca0", "c00", "ba1", "ka1", "1a1", "c-1", "ca1 ", "caé", "a000", "zzzz", "zzzzzzzzzzzzzz"} {
		if n, ok := drydock.RunNumber(id); ok {
			t.Errorf("RunNumber(%q) = %d, want none", id, n)
		}
	}
	if n, ok := drydock.RunNumber("CA4"); !ok || n != 4 {
		t.Errorf("RunNumber(CA4) = %d, %v", n, ok)
	}
}

func FuzzRunNumber(f *testing.F) {
	for _, seed := range []string{"ca1", "dau", "k000", "z000000000000", "zzzzzzzzzzzzz"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		n, ok := drydock.RunNumber(id)
		if !ok {
			return
		}
		again, ok := drydock.RunNumber(drydock.RunID(n))
		if !ok || again != n {
			t.Errorf("RunNumber(%q) = %d, whose id is %q", id, n, drydock.RunID(n))
		}
	})
}
