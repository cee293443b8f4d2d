package shell_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/shell"
)

var seeds = []string{
	`bash -c 'echo $(date)'`, "cat <<EOF | sort >f 2>&1\n$A ${B:-x}\nEOF", `A=1 b "$A" || ! (c; d) && { e; }`, `a $(b)`, "a `b`", `a ${A%%[!x]*:} $((A+1))`,
	`f() { a; }; for i in x; do a; done`, `a <&- 3>&1 >&3`, "cat <<-'E'\n\tx\n\tE", `"${A:-"b c"}" ${A:=~}`, `a & b`, `é\é"é"'é'`, `-p 1 a`,
}

// FuzzParse holds that Parse neither panics nor returns an error without a
// place.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, cmd string) {
		s, err := shell.Parse(cmd)
		if err == nil {
			if len(s.Words()) == 0 {
				t.Error("a script without a command")
			}
			return
		}
		var e *drydock.Error
		if !errors.As(err, &e) || e.Code != drydock.Invalid || (utf8.ValidString(cmd) && (e.Line < 1 || e.Column < 1)) {
			t.Errorf("error without a place: %#v", err)
		}
	})
}

// FuzzRun holds that a script ends, leaves nothing behind, and returns an error
// of a kind that is documented.
func FuzzRun(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, "value")
	}
	f.Add(`${A#$A} ${A%%"$A"} ${A##*[a-z]}`, `a*[!b\`)
	f.Fuzz(func(t *testing.T, cmd, value string) {
		s, err := shell.Parse(cmd)
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Second, errors.New("too slow"))
		defer cancel()
		env := func(name string) (string, bool) { return value, strings.HasPrefix(name, "A") }
		rt := &echoes{}
		err = s.Run(ctx, env, strings.NewReader(value), io.Discard, io.Discard, rt)
		var exit *drydock.ExitError
		var user *drydock.Error
		if err != nil && !errors.As(err, &exit) && !errors.As(err, &user) {
			t.Errorf("Run: %v", err)
		}
		rt.fake.idle(t)
	})
}

// echoes is a runtime whose every image writes its arguments and what it read.
type echoes struct{ fake }

func (e *echoes) Exec(ctx context.Context, c shell.Command) error {
	if len(c.Args) == 0 || c.Args[0] == "" {
		return errors.New("a command without an image")
	}
	if err := e.fake.Exec(ctx, c); err != nil || c.Stdout == nil {
		return err
	}
	if _, err := io.WriteString(c.Stdout, strings.Join(c.Args, " ")); err != nil {
		return err
	}
	if c.Stdin != nil {
		if _, err := io.Copy(c.Stdout, c.Stdin); err != nil {
			return err
		}
	}
	if len(c.Args)%2 == 0 {
		return &drydock.ExitError{Status: len(c.Args)}
	}
	return nil
}

// FuzzQuoting holds that words that were quoted come back as they were.
func FuzzQuoting(f *testing.F) {
	f.Add("a b\x01c'd\x01$e\\`\"", uint8(0))
	f.Add("*\x01~\x01{a,b}\x01#\x01\n\t\x01", uint8(7))
	f.Fuzz(func(t *testing.T, text string, style uint8) {
		if strings.ContainsAny(text, "\x00\r") || !utf8.ValidString(text) {
			return // none of it is in text that YAML hands over
		}
		want := strings.Split(text, "\x01")
		var b strings.Builder
		for i, word := range want {
			b.WriteString(" " + quote(word, (int(style)+i)%3))
		}
		if b.Len() > shell.MaxSize {
			return
		}
		got, err := shell.Fields(b.String(), nil)
		if user := (*drydock.Error)(nil); errors.As(err, &user) && strings.Contains(user.Message, "brackets") {
			return
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("Fields(%q): %v\n%s", b.String(), err, diff)
		}
	})
}

func quote(s string, style int) string {
	switch {
	case style == 0:
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	case style == 1 || s == "" || strings.Contains(s, "\n"): // a backslash can't quote a line end
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`").Replace(s) + `"`
	default:
		var b strings.Builder
		for _, r := range s {
			b.WriteString(`\` + string(r))
		}
		return b.String()
	}
}
