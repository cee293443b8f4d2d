package buildflags_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/buildflags"
)

func TestParseErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args []string
		want string // in message and hint
	}{
		{nil, "no build context: `docker build` takes exactly one (add a folder"},
		{[]string{"-t", "a"}, "no build context"},
		{[]string{""}, "the build context is empty"},
		{[]string{"a", "b", "-t", "c"}, `2 build contexts (["a" "b"]): `},
		{[]string{"-f", "-", "-"}, "both the context and the Dockerfile"},
		{[]string{"--buildarg", "A=b", "."}, "unknown flag --buildarg of `docker build` (did you mean --build-arg)"},
		{[]string{"--tags=a", "."}, "(did you mean --tag)"},
		{[]string{"--platfrom=a", "."}, "(did you mean --platform)"},
		{[]string{"--wibble", "."}, "unknown flag --wibble of `docker build`"},
		{[]string{"-target", "a", "."}, "2 build contexts"},
		{[]string{"-build-arg=a", "."}, "unknown flag -build-arg of `docker build` (did you mean --build-arg)"},
		{[]string{"-x", "."}, "unknown flag -x"},
		{[]string{"-qx", "."}, "unknown flag -x"},
		{[]string{".", "-t"}, "-t/--tag needs a value"},
		{[]string{".", "--target"}, "--target needs a value"},
		{[]string{"-f", "", "."}, "-f/--file: the name is empty"},
		{[]string{"-t", "Foo", "."}, `-t/--tag: "Foo" is not an image name`},
		{[]string{"-t", "/a:1", "."}, "a variable in it may be empty"},
		{[]string{"-t", "a@sha256:" + strings.Repeat("0", 64), "."}, "has a digest"},
		{[]string{"--build-arg", "=x", "."}, "--build-arg: the name is empty"},
		{[]string{"--label", "", "."}, "--label: the name is empty"},
		{[]string{"--pull=maybe", "."}, "--pull: its value is neither true nor false"},
		{[]string{"--squash=maybe", "."}, "--squash: its value is neither true nor false"},
		{[]string{"--platform", "linux/amd64,", "."}, `"linux/amd64," is not a platform`},
		{[]string{"--platform", "linux/a/b/c", "."}, "is not a platform (write it as linux/amd64"},
		{[]string{"--secret", "src=x", "."}, "--secret: the id is missing"},
		{[]string{"--secret", "x", "."}, "--secret: a field has no value"},
		{[]string{"--secret", "id=x,foo=y", "."}, `unknown key "foo"`},
		{[]string{"--secret", "id=x,src=a,env=b", "."}, "both src and env"},
		{[]string{"--secret", "id=x,type=vault", "."}, `unknown type "vault"`},
		{[]string{"--secret", `"id=x`, "."}, "not a list"},
		{[]string{"--ssh", "=x", "."}, "--ssh: the id is empty"},
		{[]string{"--network", "bridge", "."}, "it is default, none or host"},
		{[]string{"--add-host", "a", "."}, "HOST:IP"},
		{[]string{"--add-host", "a:b", "."}, `"b" is not an IP address`},
		{[]string{"--add-host", "a:host-gateway", "."}, "can't reach the machine"},
		{[]string{"--cache-from", "ref=x", "."}, "the type is missing"},
		{[]string{"--cache-to", "type=registry", "."}, "the ref is missing"},
		{[]string{"--cache-to", "type=registry,x", "."}, `the field "x" has no value`},
		{[]string{"-o", ".", "."}, "-o/--output: \".\" would write files"},
		{[]string{"-o", "type=local,dest=x", "."}, `output type "local"`},
		{[]string{"-o", "type=docker,dest=x.tar", "."}, "dest=x.tar"},
		{[]string{"-o", "type=image,push=maybe", "."}, "push=maybe"},
		{[]string{"-o", "type=image,name=Foo", "."}, `"Foo" is not an image name`},
		{[]string{"-m", "many", "."}, `-m/--memory: "many" is not a size`},
		{[]string{"-m", "-1", "."}, "is not a size"},
		{[]string{"--cpus", "0", "."}, "--cpus"},
		{[]string{"--cpus", "NaN", "."}, "--cpus"},
		{[]string{"--cpus", "1e300", "."}, "--cpus"},
		{[]string{"--cpu-quota", "x", "."}, "--cpu-quota: its value can't be read as int64"},
		{[]string{"--ulimit", "x", "."}, "--ulimit"},
		{[]string{"--build-context", "x", "."}, "NAME=FOLDER"},
		{[]string{"--progress", "x", "."}, "form of progress"},
		{[]string{"--call=check", "."}, "only build"},
		{[]string{"--help"}, "builds nothing"},
		{[]string{"---", "."}, "can't be read"},
	}
	for _, tt := range tests {
		_, err := buildflags.Parse(tt.args)
		var e *drydock.Error
		if !errors.As(err, &e) || e.Code != drydock.Invalid || !strings.Contains(e.Error(), tt.want) {
			t.Errorf("Parse(%q): %v; want %q in it", tt.args, err, tt.want)
		}
	}
}

// TestParseErrorsHideSecrets has each kind of error near a secret value.
func TestParseErrorsHideSecrets(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	for _, args := range [][]string{
		{"--secret-build-arg", "=" + secret, "."},
		{"--secret-build-arg=A=" + secret},
		{"--secret-build-arg", "A=my", secret, "."},
		{"--secret-build-args=A=" + secret, "."},
		{"-secret-build-arg=A=" + secret, "."},
		{"-z=" + secret, "."},
		{"--secret-build-arg", "A=" + secret, "--nope", "."},
		{"--secret-build-arg", "A=" + secret, "-t", "Foo", "."},
		{"--build-arg", "=" + secret, "."},
		{"--label", "=" + secret, "."},
		{"--secret", secret, "."},
		{"--secret", "id=" + secret + `"x`, "."},
		{"--pull=" + secret, "."},
		{"--=" + secret, "."},
	} {
		_, err := buildflags.Parse(args)
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("Parse(%q): %v", args, err)
		}
	}
}
