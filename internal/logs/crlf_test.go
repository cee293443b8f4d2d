package logs_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/drydockhq/drydock/internal/logs"
)

func TestCRLF(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := logs.CRLF(&b)
	for _, text := range []string{"one\ntwo", "", "\n", "progress\rthree\r", "\n\n", "end"} {
		if n, err := io.WriteString(w, text); n != len(text) || err != nil {
			t.Fatal(n, err)
		}
	}
	if got, want := b.String(), "one\r\ntwo\r\nprogress\rthree\r\n\r\nend"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
