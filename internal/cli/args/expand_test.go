package args_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/drydockhq/drydock/internal/cli/args"
)

func run(*cobra.Command, []string) {}

// line is what a command line was understood as.
type line struct {
	Command string
	Args    []string
	Groups  [][]string
	List    []string
	Bool    string
	Enum    string
	Strings map[string]string
	Images  []string
	Yes     bool
}

func expand(text ...string) (line, error) {
	var l line
	root := &cobra.Command{Use: "drydock", Run: run}
	output := root.PersistentFlags().StringP("output", "o", "", "")
	acr := &cobra.Command{Use: "acr", Run: run}
	create := &cobra.Command{Use: "create", Run: run}
	root.AddCommand(acr)
	acr.AddCommand(create)
	f := create.Flags()
	registry := f.StringP("registry", "r", "", "")
	group := f.StringP("resource-group", "g", "", "")
	set := f.String("set", "", "")
	f.BoolVarP(&l.Yes, "yes", "y", false, "")
	f.StringArrayVarP(&l.Images, "image", "t", nil, "")
	var groups args.Groups
	list := args.List{Empty: true}
	var three args.Bool
	enum := args.Enum{Choices: []string{"Basic", "Premium"}}
	f.Var(&groups, "repository", "")
	f.Var(&list, "assign-identity", "")
	f.Var(&enum, "sku", "")
	three.Var(f, "admin-enabled", "")
	e := args.Expander{
		Root: root, Stdin: strings.NewReader("from stdin\n"),
		ReadFile: func(name string) ([]byte, error) {
			switch name {
			case "secret.txt":
				return []byte("from file\r\n"), nil
			case "locked":
				return nil, fs.ErrPermission
			}
			return nil, fs.ErrNotExist
		},
	}
	cmd, rest, err := e.Expand(text)
	if err != nil {
		return l, err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return l, err
	}
	l.Command, l.Args = cmd.CommandPath(), cmd.Flags().Args()
	l.Groups, l.List, l.Bool, l.Enum = groups, list.Values, three.String(), enum.Value
	for name, v := range map[string]string{"output": *output, "registry": *registry, "resource-group": *group, "set": *set} {
		if v != "" {
			if l.Strings == nil {
				l.Strings = map[string]string{}
			}
			l.Strings[name] = v
		}
	}
	return l, nil
}

func TestExpand(t *testing.T) {
	t.Parallel()
	const create = "drydock acr create"
	tests := []struct {
		line string
		want line
	}{
		{"acr create", line{Command: create}},
		{"acr", line{Command: "drydock acr"}},
		{"acr create --out tsv", line{Strings: map[string]string{"output": "tsv"}}},
		{"--out=tsv acr create", line{Strings: map[string]string{"output": "tsv"}}},
		{"acr create -otsv", line{Strings: map[string]string{"output": "tsv"}}},
		{"acr create -o=tsv -r a", line{Strings: map[string]string{"output": "tsv", "registry": "a"}}},
		{"acr create --reg a --res g", line{Strings: map[string]string{"registry": "a", "resource-group": "g"}}},
		{"acr create --repo hello content/read content/write -r a --repository=b", line{
			Groups: [][]string{{"hello", "content/read", "content/write"}, {"b"}}, Strings: map[string]string{"registry": "a"},
		}},
		{"acr create --assign-identity", line{}},
		{"acr create --assign-identity [system] /x -y", line{List: []string{"[system]", "/x"}, Yes: true}},
		{"acr create --admin-enabled", line{Bool: "true"}},
		{"acr create --admin-enabled NO src", line{Bool: "false", Args: []string{"src"}}},
		{"acr create --admin-enabled=false", line{Bool: "false"}},
		{"acr create --admin-enabled src", line{Bool: "true", Args: []string{"src"}}},
		{"acr create --sku premium", line{Enum: "Premium"}},
		{"acr create . -t a:1 --image b -t c", line{Args: []string{"."}, Images: []string{"a:1", "b", "c"}}},
		{"acr create -yr a", line{Yes: true, Strings: map[string]string{"registry": "a"}}},
		{"acr create --set @secret.txt", line{Strings: map[string]string{"set": "from file"}}},
		{"acr create --set k=@secret.txt", line{Strings: map[string]string{"set": "k=from file"}}},
		{"acr create --set=@-", line{Strings: map[string]string{"set": "from stdin"}}},
		{"acr create --set @missing", line{Strings: map[string]string{"set": "@missing"}}},
		{"acr create --set a=b=@secret.txt", line{Strings: map[string]string{"set": "a=b=@secret.txt"}}},
		{"acr create --set -1", line{Strings: map[string]string{"set": "-1"}}},
		{"acr create --set -", line{Strings: map[string]string{"set": "-"}}},
		{"acr create --set=-x", line{Strings: map[string]string{"set": "-x"}}},
		{"acr create -- --set", line{Args: []string{"--set"}}},
	}
	for _, test := range tests {
		t.Run(test.line, func(t *testing.T) {
			t.Parallel()
			got, err := expand(strings.Fields(test.line)...)
			if err != nil {
				t.Fatal(err)
			}
			if test.want.Command == "" {
				test.want.Command = create
			}
			if test.want.Args == nil {
				test.want.Args = []string{}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExpandRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ line, want string }{
		{"acr create --re x", "ambiguous option: --re could match --registry, --repository, --resource-group"},
		{"acr create --nothing", "unrecognized argument: --nothing"},
		{"acr create -z", "unrecognized argument: -z"},
		{"acr create -r", "argument -r: expected one value"},
		{"acr create --registry -g x", "argument --registry: expected one value"},
		{"acr create --repository -g x", "argument --repository: expected at least 1 value"},
		{"acr create --sku huge", `invalid argument "huge" for "--sku" flag: "huge" is not one of Basic, Premium`},
		{"acr create --admin-enabled=maybe", `invalid argument "maybe" for "--admin-enabled" flag: "maybe" is neither true nor false`},
	}
	for _, test := range tests {
		t.Run(test.line, func(t *testing.T) {
			t.Parallel()
			if _, err := expand(strings.Fields(test.line)...); err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	if _, err := expand("acr", "create", "--set", "@locked"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a file that can't be read: %v", err)
	}
}

func FuzzExpand(f *testing.F) {
	for _, seed := range []string{"acr create -r a", "acr create --repo x y", "acr create -yy", "- -- --=", "acr create --set=@"} {
		f.Add(seed)
	}
	f.Fuzz(func(_ *testing.T, text string) {
		expand(strings.Fields(text)...) // must not panic
	})
}
