package buildkit

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func TestStartErrors(t *testing.T) {
	t.Parallel()
	const line = "runc run failed: unable to start container process\n"
	for name, test := range map[string]struct {
		writes            []string
		failed, succeeded string // what comes through
	}{
		"nothing":     {nil, "", ""},
		"runc's":      {[]string{line}, "", line},
		"a step's":    {[]string{"hello\n", line}, "hello\n" + line, "hello\n" + line},
		"in pieces":   {[]string{line, "more\n"}, "", line + "more\n"},
		"a long text": {[]string{line, strings.Repeat("x", maxStartError)}, line + strings.Repeat("x", maxStartError), line + strings.Repeat("x", maxStartError)},
	} {
		for _, failed := range []bool{true, false} {
			var out bytes.Buffer
			s := &startErrors{w: &out}
			for _, w := range test.writes {
				if n, err := io.WriteString(s.writer(), w); n != len(w) || err != nil {
					t.Fatalf("%s: wrote %d, %v", name, n, err)
				}
			}
			want := test.failed
			if !failed {
				want = test.succeeded
				if err := s.release(); err != nil {
					t.Fatal(err)
				}
			}
			if out.String() != want {
				t.Errorf("%s, failed %v: %d bytes came through, want %d", name, failed, out.Len(), len(want))
			}
		}
	}
}
