package shell_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/shell"
)

// TestRefused names, for each construct that is not part of the language,
// what the error says and where.
func TestRefused(t *testing.T) {
	t.Parallel()
	const inside = "bash -c '…'"
	tests := []struct {
		cmd          string
		line, column int
		want, hint   string
	}{
		{`bash -c "echo $(date)"`, 1, 15, "`$(date)`", inside},
		{"bash echo `date`", 1, 11, "`date`", inside},
		{"bash cat <<EOF\n$(date)\nEOF", 2, 1, "`$(date)`", inside},
		{`bash echo "${A:-$(date)}"`, 1, 17, "`$(date)`", inside},
		{`bash echo $(( $(date) ))`, 1, 15, "`$(date)`", inside},
		{`A=$(date) bash`, 1, 3, "`$(date)`", inside},
		{`bash >$(date)`, 1, 7, "`$(date)`", inside},
		{`nginx & curl http://nginx`, 1, 7, "`&`", "detach: true"},
		{`nginx &`, 1, 7, "`&`", "detach: true"},
		{`for i in 1 2; do bash; done`, 1, 1, "`for`", inside},
		{`select i in 1; do bash; done`, 1, 1, "`select`", inside},
		{`while true; do bash; done`, 1, 1, "`while`", inside},
		{`until true; do bash; done`, 1, 1, "`until`", inside},
		{`true; if true; then bash; fi`, 1, 7, "`if`", inside},
		{`case a in a) bash;; esac`, 1, 1, "`case`", inside},
		{`f() { bash; }`, 1, 1, "a function", inside},
		{`[[ a == b ]]`, 1, 1, "`[[`", inside},
		{`((1+1))`, 1, 1, "`((`", inside},
		{`let a=1`, 1, 1, "`let`", inside},
		{`export A=b`, 1, 1, "`export`", inside},
		{`time bash`, 1, 1, "`time`", inside},
		{`coproc bash`, 1, 1, "`coproc`", inside},
		{`bash ls *.txt`, 1, 9, "`*.txt`", inside},
		{`bash ls a?c`, 1, 9, "`a?c`", inside},
		{`bash ls "a"[bc]$D`, 1, 9, "`\"a\"[bc]$D`", inside},
		{`acr purge --filter=x:.*`, 1, 11, "`--filter=x:.*`", "single quotes"},
		{`bash ls @(a|b)`, 1, 9, "`@(a|b)`", inside},
		{`bash >*.txt`, 1, 7, "`*.txt`", inside},
		{`bash cat <(true)`, 1, 10, "`<(true)`", inside},
		{`bash ls ~`, 1, 9, "`~`", "$HOME"},
		{`bash ls ~/x`, 1, 9, "`~/x`", "$HOME"},
		{`A=~/x bash`, 1, 3, "`~/x`", "$HOME"},
		{`A=/a:~/x bash`, 1, 3, "`/a:~/x`", "$HOME"},
		{`bash ${A:-~}`, 1, 11, "`~`", "$HOME"},
		{`bash $((A=1))`, 1, 9, "`A=1`", "N=$((N+1))"},
		{`bash $((A++))`, 1, 9, "`A++`", "N=$((N+1))"},
		{`bash $((1+(B+=2)))`, 1, 12, "`B+=2`", "N=$((N+1))"},
		{`bash $[1+1]`, 1, 6, "`$[1+1]`", inside},
		{`bash ${A/a/b}`, 1, 6, "`${A/a/b}`", inside},
		{`bash ${A:1:2}`, 1, 6, "`${A:1:2}`", inside},
		{`bash ${A^^}`, 1, 6, "`${A^^}`", inside},
		{`bash ${!A}`, 1, 6, "`${!A}`", inside},
		{`bash ${A[0]}`, 1, 6, "`${A[0]}`", inside},
		{`bash ${A@Q}`, 1, 6, "`${A@Q}`", inside},
		{`bash $$`, 1, 6, "`$$`", inside},
		{`bash $!`, 1, 6, "`$!`", inside},
		{`bash $'a'`, 1, 6, "`$'…'`", inside},
		{`bash $"a"`, 1, 6, "`$\"…\"`", inside},
		{`bash "${A:-'b'}"`, 1, 12, "single quotes", inside},
		{`A=(1 2); bash`, 1, 1, "arrays", inside},
		{`A+=1 bash`, 1, 1, "`+=`", inside},
		{`IFS=: bash`, 1, 1, "IFS", inside},
		{`bash 10>x`, 1, 6, "`10`", "0 to 9"},
		{`bash >&file`, 1, 6, "`>&`", "2>&1"},
		{`bash >&$A`, 1, 6, "`>&`", "2>&1"},
		{"bash <<'E'F\nx\nEF", 1, 8, "`'E'F`", "the whole"},
		{`-p 80:80 nginx`, 1, 1, "`-p`", "`ports`"},
		{`--env=A=b bash`, 1, 1, "`--env=A=b`", "`env`"},
		{`--rm bash`, 1, 1, "`--rm`", "leave it out"},
		{`-it bash`, 1, 1, "`-it`", "terminal"},
		{`-v a:/a bash`, 1, 1, "`-v`", "`volumeMounts`"},
		{`--entrypoint sh bash`, 1, 1, "`--entrypoint`", "`entryPoint`"},
		{`--gpus all bash`, 1, 1, "`--gpus`", "properties of the step"},
		{`bash; -x`, 1, 7, "`-x`", "begins with an image"},
		{`'' a`, 1, 1, "empty", "image"},
		{``, 1, 1, "no image", "bash echo hello"},
		{"  \n", 1, 1, "no image", "bash echo hello"},
		{`# nothing`, 1, 1, "no image", "bash echo hello"},
		{`A=b`, 1, 1, "no image", "bash echo hello"},
		{`>file`, 1, 1, "no image", "bash echo hello"},
		{`bash 'a`, 1, 6, "'", "quote"},
		{`bash "a`, 1, 6, "\"", "quote"},
		{`bash echo (hi)`, 1, 11, "(", "quote"},
		{`bash | `, 1, 6, "|", "quote"},
		{`bash &&`, 1, 6, "&&", "quote"},
		{`bash)`, 1, 5, ")", "quote"},
		{`bash ${A`, 1, 6, "${", "quote"},
		{"bash <<EOF\nx", 1, 6, "EOF", "quote"},
		{"bash a\x00b", 1, 7, "NUL", ""},
		{"bash \xff", 0, 0, "UTF-8", ""},
		{"bash é\n日本 $(x)", 2, 4, "`$(x)`", inside},
		{"bash " + strings.Repeat("é", 20_000) + " $(x)", 1, 20_007, "`$(x)`", inside},
		{"bash $(" + strings.Repeat("x", 100) + ")", 1, 6, "$(" + strings.Repeat("x", 58) + "…", inside},
		{strings.Repeat("(", 10_000), 1, 501, "brackets", ""},
		{strings.Repeat("a;", shell.MaxCommands) + "b", 1, 2*shell.MaxCommands + 1, "256", "script"},
		{strings.Repeat("a|", shell.MaxCommands) + "b", 1, 2*shell.MaxCommands + 1, "256", "script"},
		{strings.Repeat("a", shell.MaxSize+1), 0, 0, "131073 bytes", "script"},
	}
	for _, tt := range tests {
		t.Run(tt.cmd[:min(len(tt.cmd), 40)], func(t *testing.T) {
			t.Parallel()
			_, err := shell.Parse(tt.cmd)
			var e *drydock.Error
			if !errors.As(err, &e) {
				t.Fatalf("Parse: %v, want a *drydock.Error", err)
			}
			if e.Code != drydock.Invalid || e.Line != tt.line || e.Column != tt.column {
				t.Errorf("%s error at %d:%d, want an invalid one at %d:%d: %v", e.Code, e.Line, e.Column, tt.line, tt.column, e)
			}
			if !strings.Contains(e.Message, tt.want) || !strings.Contains(e.Hint, tt.hint) {
				t.Errorf("message %q with hint %q; want %q and %q in them", e.Message, e.Hint, tt.want, tt.hint)
			}
		})
	}
}

// TestAccepted has what is near to something refused.
func TestAccepted(t *testing.T) {
	t.Parallel()
	for _, cmd := range []string{
		`bash -c 'echo $(date) && for i in *; do echo ~ $i & done'`,
		"bash -c 'echo `date`'",
		`bash -c "echo \$(date)"`,
		"bash cat <<'EOF'\n$(date) `date` ~ *\nEOF",
		`acr purge --filter 'samples/hello:.*' --ago 1d`,
		`acr purge --filter "x:.*"`,
		`bash ls \*`,
		`bash ls [ ]`,
		`bash ls []`,
		`bash test [a`,
		`curl http://web/?a=b&&true`,
		`curl -s http://web:8080/[x]/*`,
		`bash $STAR`,
		`bash a~ x=~`,
		`bash ${A%%:*} "${A#?}"`,
		`bash {a,b} {} {1..3}`,
		`bash -e -x`,
		`bash @ a@b x#y`,
		`docker run`,
		strings.Repeat("a|", shell.MaxCommands-1) + "b",
	} {
		if _, err := shell.Parse(cmd); err != nil {
			t.Errorf("Parse(%q): %v", cmd, err)
		}
	}
}
