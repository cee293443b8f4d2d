package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock/internal/logs"
)

func TestPlain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                        "",
		"as it is\t\x07é":         "as it is\t\x07é",
		"\x1b[31mred\x1b[0m":      "red",
		"\x1b[1;38;5;196mx\x1b[m": "x",
		"\x1b]0;title\x07x":       "x",
		"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\": "link",
		"\x1b(Bx\x1b=y\x1b7":                       "xy",
		"\x1b]0;a\x1bb\x1b\x1b\\x":                 "x",
		"cut \x1b[3":                               "cut ",
	} {
		// Sequences are found wherever the pieces of a line are cut.
		for cut := range len(text) + 1 {
			var b bytes.Buffer
			p := newPlain(logs.NewText(&b))
			for i, part := range []string{text[:cut], text[cut:]} {
				if err := p.Output(logs.Piece{Step: "a", Text: []byte(part), End: i == 1}); err != nil {
					t.Fatal(err)
				}
			}
			if got := b.String(); got != want+"\n" {
				t.Errorf("%q cut at %d became %q, want %q", text, cut, got, want)
			}
		}
	}
}

func TestPlainKeepsStreamsApart(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	p := newPlain(logs.NewText(&b))
	for _, piece := range []logs.Piece{
		{Step: "a", Stream: "stdout", Text: []byte("\x1b[3")},
		{Step: "b", Stream: "stdout", Text: []byte("1 apple"), End: true},
		{Step: "a", Stream: "stdout", Text: []byte("1mred"), End: true},
		{Step: "a", Stream: "stdout", Text: []byte("\x1b["), End: true},
		{Step: "a", Stream: "stdout", Text: []byte("mild"), End: true},
	} {
		if err := p.Output(piece); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.System(time.Time{}, "a \x1b[31mname"); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.Contains(got, "1 apple\nred\n\nmild\n") || !strings.Contains(got, "a \x1b[31mname\n") {
		t.Errorf("the log is %q", got)
	}
}

func TestNoColor(t *testing.T) {
	t.Parallel()
	dir := folder(t, "-- acb.yaml --\nsteps:\n- cmd: image\n  env: [\"FAKE_OUT=\\e[31mred\\e[0m\"]\n")
	for want, c := range map[string]struct {
		environ []string
		args    []string
	}{
		"\n\x1b[31mred\x1b[0m\n": {[]string{"NO_COLOR="}, nil},
		"\nred\n":                {nil, []string{"--no-color"}},
		"\nred\n2020":            {[]string{"NO_COLOR=1"}, nil},
	} {
		b := newBench(t)
		b.environ = c.environ
		b.expect(t, statusOK, []string{want}, nil, append([]string{"exec", dir}, c.args...)...)
	}
}
