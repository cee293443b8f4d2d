package shell_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/shell"
)

func TestFields(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want []string
	}{
		{``, nil},
		{" \n ", nil},
		{`-t hello-world:1 -f hello-world.dockerfile .`, []string{"-t", "hello-world:1", "-f", "hello-world.dockerfile", "."}},
		{"-t a \\\n  -t b\n  .\n", []string{"-t", "a", "-t", "b", "."}},
		{`-f "my folder/Dockerfile" --build-arg 'A=b c' .`, []string{"-f", "my folder/Dockerfile", "--build-arg", "A=b c", "."}},
		{`-f my\ folder/Dockerfile .`, []string{"-f", "my folder/Dockerfile", "."}},
		{`--build-arg A=$A --build-arg B="$A" $UNSET .`, []string{"--build-arg", "A=a", "b", "--build-arg", "B=a  b", "."}},
		{`A=b .`, []string{"A=b", "."}},
		{`https://github.com/a/b.git#main:dir`, []string{"https://github.com/a/b.git#main:dir"}},
		{`. # the context`, []string{"."}},
		{`--label {a} if for .`, []string{"--label", "{a}", "if", "for", "."}},
		{`sh -c "echo \"$A\""`, []string{"sh", "-c", `echo "a  b"`}},
	}
	for _, tt := range tests {
		got, err := shell.Fields(tt.text, lookup)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("Fields(%q): %v\n%s", tt.text, err, diff)
		}
	}
}

func TestFieldsErrors(t *testing.T) {
	t.Parallel()
	for text, column := range map[string]int{
		`. && echo`: 3, `. ; echo`: 3, `. | cat`: 3, `. > x`: 3, `. 2>&1`: 4, `. &`: 3, `-t a:$(date) .`: 6, "-t a:`date` .": 6, `(.)`: 1,
		`*.txt`: 1, `~/x`: 1, `'.`: 1, `a ${A:?}`: 0, `${UNSET:?}`: 1, `. <<EOF`: 3,
	} {
		_, err := shell.Fields(text, lookup)
		if column == 0 {
			if err != nil {
				t.Errorf("Fields(%q): %v", text, err)
			}
			continue
		}
		var e *drydock.Error
		if !errors.As(err, &e) || e.Code != drydock.Invalid || e.Line != 1 || e.Column != column {
			t.Errorf("Fields(%q): %v, want an invalid one at column %d", text, err, column)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	s := mustParse(t, `bash -c 'echo "hi"' a\ b "x"'y' $A z | { $R/app; "docker" pull a && A=b curl >f "$B"; }`)
	want := [][]string{
		{"bash", "-c", `echo "hi"`, "a b", "xy"},
		nil,
		{"docker", "pull", "a"},
		{"curl"},
	}
	if diff := cmp.Diff(want, s.Words()); diff != "" {
		t.Error(diff)
	}
}
