package logs_test

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/drydockhq/drydock/internal/logs"
)

func TestTerminal(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	at := time.Date(2020, 10, 30, 3, 57, 39, 0, time.UTC)
	log := logs.New(logs.Options{Renderer: logs.NewText(w), Masker: logs.NewMasker("s3cret"), Now: func() time.Time { return at }, Terminal: w})
	out := log.Stream("web", "stdout")
	io.WriteString(out, "before\n")

	terminal, release := log.Terminal()
	if terminal == nil {
		t.Fatal("a log on a terminal has none to lend")
	}
	if again, _ := log.Terminal(); again != nil {
		t.Error("the terminal was lent twice")
	}
	log.Printf("kept back")
	io.WriteString(out, "output\n")
	io.WriteString(terminal, "drawn with s3c")
	io.WriteString(terminal, "ret\n")
	release()
	log.Printf("after")
	if err := out.Close(); err != nil {
		t.Error(err)
	}
	w.Close()

	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	const stamp = "2020/10/30 03:57:39 "
	want := "before\ndrawn with ***\n" + stamp + "kept back\noutput\n" + stamp + "after\n"
	if string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestNoTerminal(t *testing.T) {
	t.Parallel()
	log := logs.New(logs.Options{Renderer: logs.NewText(io.Discard)})
	if terminal, _ := log.Terminal(); terminal != nil {
		t.Error("a log that goes elsewhere lent a terminal")
	}
}
