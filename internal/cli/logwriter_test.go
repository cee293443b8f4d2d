package cli

import (
	"bytes"
	"strings"
	"testing"
)

func TestLogWriter(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		color  bool
		writes []string
		want   string
	}{
		{"line ends", false, []string{"a\r\nb\n\r\n"}, "a\nb\n\n"},
		{"lines in parts", false, []string{"a", "b\r", "\nc"}, "ab\nc\n"},
		{"carriage returns within", false, []string{"1%\r2%\r\n"}, "1%\r2%\n"},
		{"nothing", false, nil, ""},
		{"colours", true, []string{"2026/11/21 08:00:00 Building\n"}, "\x1b[2m2026/11/21 08:00:00 \x1b[0mBuilding\n"},
		{"success", true, []string{"2026/11/21 08:00:00 Successfully done\n"}, "\x1b[2m2026/11/21 08:00:00 \x1b[0m\x1b[32mSuccessfully done\x1b[0m\n"},
		{"failure", true, []string{"2026/11/21 08:00:00 Step failed\n"}, "\x1b[2m2026/11/21 08:00:00 \x1b[0m\x1b[31mStep failed\x1b[0m\n"},
		{"output of steps", true, []string{"error: \x1b[31mred\x1b[0m\n"}, "error: \x1b[31mred\x1b[0m\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			w := &logWriter{w: &b, color: test.color}
			for _, text := range test.writes {
				if n, err := w.Write([]byte(text)); n != len(text) || err != nil {
					t.Fatalf("%d, %v", n, err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if b.String() != test.want {
				t.Errorf("got %q, want %q", b.String(), test.want)
			}
		})
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	tests := []struct{ from, to, want string }{
		{"2026-11-21T08:00:00Z", "2026-11-21T08:00:00.9Z", "00:00:00"},
		{"2026-11-21T08:00:00Z", "2026-11-23T09:01:02Z", "49:01:02"},
		{"2026-11-21T08:00:00Z", "2026-11-21T07:00:00Z", ""}, // the clock was set back
		{"2026-11-21T08:00:00Z", "", ""},
		{"", "2026-11-21T08:00:00Z", ""},
	}
	for _, test := range tests {
		if got := duration(test.from, test.to); got != test.want {
			t.Errorf("%s to %s: got %q, want %q", test.from, test.to, got, test.want)
		}
	}
}

func TestLogWriterNames(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := &logWriter{w: &b, names: strings.NewReplacer("ab12_Dockerfile", "Dockerfile")}
	if _, err := w.Write([]byte("load ab12_Dock")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("erfile:2\r\n")); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != "load Dockerfile:2\n" {
		t.Errorf("got %q", got)
	}
}
