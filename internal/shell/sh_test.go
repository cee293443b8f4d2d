package shell_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/shell"
)

// programs is a runtime whose images are the programs of this machine, so that
// a script can be compared with what sh makes of it.
type programs struct{ dir string }

func (p programs) Exec(ctx context.Context, c shell.Command) error {
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir = p.dir
	cmd.Env = append([]string{"PATH=/usr/bin:/bin", "LC_ALL=C"}, c.Env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, c.Stdout, c.Stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		status := exit.ExitCode()
		if status < 0 {
			status = 141
		}
		return &drydock.ExitError{Status: status}
	}
	return err
}

func (p programs) Open(name string, flag int, perm os.FileMode) (io.ReadWriteCloser, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(p.dir, name)
	}
	return os.OpenFile(name, flag, perm)
}

// result is what a script left behind.
type result struct {
	Stdout string
	Status int
	Files  map[string]string
}

var variables = []string{
	"A=a  b", "E=", "S= x ", `Q=q"'\`, "P=a:b:c", "W=two words", "STAR=*", "NL=a\nb", "N=3", "BS=\\\\",
}

func lookup(name string) (string, bool) {
	for _, v := range variables {
		if rest, ok := strings.CutPrefix(v, name+"="); ok {
			return rest, true
		}
	}
	return "", false
}

func viaShell(t *testing.T, script string) result {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Args[0] = "sh"
	cmd.Dir, cmd.Env = dir, append([]string{"PATH=/usr/bin:/bin", "LC_ALL=C"}, variables...)
	var out bytes.Buffer
	cmd.Stdout = &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("this test needs /bin/sh: %v", err)
	}
	return result{out.String(), cmd.ProcessState.ExitCode(), filesIn(t, dir)}
}

func viaScript(t *testing.T, script string) result {
	t.Helper()
	s, err := shell.Parse(script)
	if err != nil {
		t.Fatalf("Parse(%q): %v", script, err)
	}
	dir := t.TempDir()
	var out bytes.Buffer
	err = s.Run(t.Context(), lookup, nil, &out, io.Discard, programs{dir})
	var exit *drydock.ExitError
	switch {
	case errors.As(err, &exit):
		return result{out.String(), exit.Status, filesIn(t, dir)}
	case err != nil:
		t.Fatalf("Run(%q): %v", script, err)
	}
	return result{out.String(), 0, filesIn(t, dir)}
}

func filesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(text)
	}
	return files
}

// TestWordsAsSh compares the expansion of words with the machine's shell.
func TestWordsAsSh(t *testing.T) {
	t.Parallel()
	words := []string{
		`a b`, `'a b'`, `"a b"`, `a\ b`, `a"b"'c'd`, `""`, `''`, `a""`, `"" ''`, `\"`, `\\`, `\$A`, `'$A'`, `"\$A"`, `"\a\"\\"`, `"a\` + "\nb\"",
		"a\\\nb", `$`, `a$`, `"$"`, `a=b`, `-x=$P`, `a#b`, `a{b,c}`, `{a..c}`, `{`, `}`, `[`, `a[`, `]`, `!`, `é\é"é"`, `--filter='x:.*'`, `a,b`,
		`$A`, `"$A"`, `${A}`, `x$A"y"`, `$S`, `"$S"`, `x${S}y`, `$S$S`, `$A$S$A`, `"$A"$A`, `$E`, `"$E"`, `$E""`, `a$E`, `$U`, `"$U"`, `a"$U"b`, `$E$U`,
		`$Q`, `"$Q"`, `$NL`, `"$NL"`, `$BS`, `"$STAR"`, `$W$W`, `"$W"'$W'`, `$P:$P`, `"$P":x`,
		`$#`, `$1`, `"$1"`, `"$@"`, `a"$@"b`, `$@`, `$*`, `"$*"`, `"$@$@"`, `$0`, `${#}`, `${10}`, `$10`,
		`${U:-a b}`, `"${U:-a b}"`, `${U:-"a  b" c}`, `"${U:-"a  b" c}"`, `${U:-a\ b}`, `"${U:-a\ b}"`, `"${U:-a\}b}"`, `${U:-'a  b'}`, `${U:-$A}`, `"${U:-$A}"`,
		`${U:-"$A"}`, `x${U:- a }y`, `${U-x}`, `${E-x}`, `${E:-x}`, `${E:-}`, `${U:-}`, `"${U:-}"`, `${A:-x}`, `${A:+x y}`, `"${A:+x y}"`, `${A:+"$A"}`, `${E:+x}`, `"${E:+x}"`,
		`${E+x}`, `${U+x}`, `${U:-${E:-${A}}}`, `"${U:-"${A}"}"`, `${V:=a b} $V "$V"`, `"${V:=a  b}" $V`, `${E:=x}$E`, `${V=x}${V}`, `${U:-\$A}`, `"${U:-\$A}"`, `"${U:-\\}"`,
		`${A:?no}`, `${A?}`, `${#A}`, `${#U}`, `"${#P}"`,
		`${P%:*}`, `${P%%:*}`, `${P#*:}`, `${P##*:}`, `${P%c}`, `${P%x}`, `${P#?}`, `${P%%}`, `${P#"*":}`, `${P%'*'}`, `${P%\*}`, `"${P%":"*}"`, `"${P#*:}"`, `${P#[a-b]}`, `${P##[!x]*:}`,
		`${A% *}`, `"${A%% *}"`, `${U%x}`, `${STAR#"$STAR"}`, `${P#$STAR}`, `${P##$STAR:}`, `${NL%b}`, `"${NL##*a}"`, `${P%?"b"?*}`,
		`$((1+2))`, `$((N*2))`, `$(( $N - 5 ))`, `"$((N))"`, `$((N>2?10:20))`, `$((0x10))`, `x$((1))y`, `$(((1+2)*3))`, `$((U))`, `$((7/2))`, `$((-7%3))`,
		`a;printf '[%s]' b`, `a # comment`, `a#`, `"#"`, `a'
b'`,
	}
	for _, w := range words {
		t.Run(w, func(t *testing.T) {
			t.Parallel()
			script := "printf '[%s]' " + w
			if diff := cmp.Diff(viaShell(t, script), viaScript(t, script)); diff != "" {
				t.Errorf("sh (-) and the script (+) differ:\n%s", diff)
			}
		})
	}
}

// TestScriptsAsSh compares whole scripts with the machine's shell.
func TestScriptsAsSh(t *testing.T) {
	t.Parallel()
	scripts := []string{
		`true`, `false`, `! true`, `! false`, `sh -c 'exit 7'`, `! sh -c 'exit 7'`,
		`true && printf a`, `false && printf a`, `false || printf a`, `true || printf a`, `false && printf a || printf b`, `true || printf a && printf b`,
		`false; printf a`, `printf a; false`, "printf a\nprintf b", "false\n\nprintf %s b\n", `printf a;`,
		`false; printf %s $?`, `sh -c 'exit 9'; printf %s $?; printf %s $?`, `! false; printf %s $?`, `false || printf %s $?`, `(sh -c 'exit 4'); printf %s $?`,
		`printf 'b\na\n' | sort`, `printf 'b\na\n' | sort | head -n 1`, `false | true`, `true | false`, `! true | false`, `printf x | cat | cat | cat`,
		`printf x | { cat; printf y; }`, `{ printf a; printf b; } | cat`, `(printf a; printf b) | cat`, `{ printf a; false; }`, `(false)`, `{ printf 'a\n'; printf 'b\n'; } | (head -n 1; printf end)`,
		`yes | head -n 2`, `yes | true`, `yes | head -n 1 | cat`, `true | cat`, `cat </dev/null`,
		`printf a >f`, `printf a >f; printf b >>f; cat f`, `printf a >f; printf b >f; cat <f`, `printf a 1>f`, `>f true`, `printf a > f > g`, `printf abc >f; cat < f > g`,
		`sh -c 'printf out; printf err >&2' 2>&1`, `sh -c 'printf out; printf err >&2' >f 2>&1; cat f`, `sh -c 'printf out; printf err >&2' 2>&1 >f | cat; cat f`, `sh -c 'printf err >&2' 2>f`,
		`sh -c 'printf out; printf err >&2' 3>&1 1>&2 2>&3`, `sh -c 'printf out' >/dev/null`, `sh -c 'printf err >&2' 2>/dev/null`, `printf a >&2`, `{ printf a; printf b >&2; } 2>f; cat f`,
		`{ printf a >&3; printf b; } 3>f`, `printf a >/dev/stderr`, `sh -c 'printf e >&2' 2>/dev/stdout`, `sh -c 'printf e >&2' 2>/dev/null | cat`,
		`cat <missing; printf a`, `cat <missing || printf a`, `cat <missing && printf a`, `printf a >missing/x; printf %s $?`, `printf a >"$P"`, `printf a >f$N; cat f3`,
		"cat <<EOF\na $A b\nEOF", "cat <<'EOF'\na $A \\$ b\nEOF", "cat <<\\EOF\n$A\nEOF", "cat <<\"EOF\"\n\\a$A\nEOF", "cat <<EOF\n\\$A \\\\ \\a \"q\" 'x'\nEOF", "cat <<EOF; printf end\nx\nEOF",
		"cat <<-EOF\n\ta\n\t\t$A\n\tEOF", "cat <<-'EOF'\n\ta\n\t\t$A\n\tEOF", "cat <<EOF | sort\nb\na\nEOF", "cat <<EOF\nEOF", "cat <<EOF\n${U:-x y}\nEOF", "cat <<EOF\na\\\nb\nEOF", "cat <<A - <<B\n1\nA\n2\nB",
		"cat <<EOF\n${U:-$A} $((1+1)) ${P%:*}\nEOF", "cat <<-EOF\n\t${E:-x}\n\ty\nEOF", "cat <<E\\OF\n$A\nEOF", "cat <<-EOF\n\t$A\t$A\n\t\t\tx\ty\n\n\tEOF", "cat <<EOF >f\nx\nEOF", "cat <<EOF && printf y\n\nEOF",
		`B=1; printf %s $B`, `B=1 C=$B; printf %s $C`, `B="$A"; printf '[%s]' "$B"`, `B=$A; printf '[%s]' "$B"`, `B=1 sh -c 'printf %s $B'`, `B=1 C=$B sh -c 'printf %s $C'`, `B=1 printf '[%s]' "$B"`,
		`B=1; (B=2; printf %s $B); printf %s $B`, `B=1; B=2 true; printf %s $B`, `B=1; { B=2; }; printf %s $B`, `B=x | cat; printf '[%s]' "$B"`, `A=; printf '[%s]' "$A"`, `B=1; B=$((B+1)); printf %s $B`,
		`# comment only
printf a # and another`, `printf a \
  b`, `printf %s a &&
printf %s b |
cat`, `false
printf a`, `${U:-printf} a`,
	}
	for _, s := range scripts {
		t.Run(s, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(viaShell(t, s), viaScript(t, s)); diff != "" {
				t.Errorf("sh (-) and the script (+) differ:\n%s", diff)
			}
		})
	}
}
