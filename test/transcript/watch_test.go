package transcript_test

import (
	"io"
	"testing"

	"github.com/drydockhq/drydock/test/transcript"
)

func TestWatch(t *testing.T) {
	t.Parallel()
	w := transcript.NewWatch("ready at")
	for _, part := range []string{"not yet, rea", "dy "} {
		if _, err := io.WriteString(w, part); err != nil {
			t.Fatal(err)
		}
		select {
		case <-w.Found:
			t.Fatalf("found in %q", w)
		default:
		}
	}
	for range 2 {
		if _, err := io.WriteString(w, "at 1; ready at 2"); err != nil {
			t.Fatal(err)
		}
		<-w.Found
	}
	if got := w.String(); got != "not yet, ready at 1; ready at 2at 1; ready at 2" {
		t.Error(got)
	}
}
