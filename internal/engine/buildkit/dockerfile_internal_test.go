package buildkit

import (
	"strings"
	"testing"
)

func TestFinalBase(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		dockerfile string
		opts       map[string]string
		want       string
	}{
		"none":                     {"", nil, ""},
		"not a Dockerfile":         {"{\"a\": 1}", nil, ""},
		"scratch":                  {"FROM scratch", nil, ""},
		"stage of a stage":         {"FROM a AS x\nFROM x AS y\nFROM y", nil, "a"},
		"stages in any case":       {"FROM a AS Base\nFROM base", nil, "a"},
		"target by name":           {"FROM a AS x\nFROM b AS y", map[string]string{"target": "x"}, "a"},
		"unknown target":           {"FROM a", map[string]string{"target": "nowhere"}, "a"},
		"a later stage is no base": {"FROM b AS a\nFROM c AS t\nFROM b AS c", map[string]string{"target": "t"}, "c"},
		"argument":                 {"ARG A=1\nFROM a:$A", map[string]string{"build-arg:A": "2"}, "a:2"},
		"argument of an argument":  {"ARG A=1\nARG B=x$A\nFROM a:$B", nil, "a:x1"},
		"argument without a value": {"ARG A\nFROM a:${A:-default}", nil, "a:default"},
		"platform":                 {"FROM a-$TARGETARCH-$TARGETVARIANT", map[string]string{"platform": "linux/arm/v7,linux/amd64"}, "a-arm-v7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := parseDockerfile([]byte(test.dockerfile), test.opts).base; got != test.want {
				t.Errorf("base is %q, want %q", got, test.want)
			}
		})
	}
}

func FuzzDockerfile(f *testing.F) {
	f.Add("FROM a AS x\nARG A=1 B\nFROM x\n", "x")
	f.Add("# escape=`\nARG A\nFROM `\n a:${A:-1}\n", "")
	f.Add("FROM a\nRUN <<EOF\nfoo\nEOF\n", "0")
	f.Fuzz(func(t *testing.T, dockerfile, target string) {
		d := parseDockerfile([]byte(dockerfile), map[string]string{"target": target, "platform": "linux/amd64"})
		for stage := range d.stages {
			if stage != strings.ToLower(stage) {
				t.Errorf("stage %q is not in lower case", stage)
			}
		}
	})
}

func TestOfficialFrontendNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"docker/dockerfile":                  true,
		"docker.io/docker/dockerfile:1.17":   true,
		"docker/dockerfile:1-labs":           true,
		"docker/dockerfile:1.4.0-labs":       true,
		"docker/dockerfile:0.9":              false,
		"docker/dockerfile:2":                false,
		"docker/dockerfile-other:1":          false,
		"registry.example/docker/dockerfile": false,
		"docker/dockerfile:1 ":               false,
	} {
		if got := officialFrontend.MatchString(name); got != want {
			t.Errorf("%q is official: %t", name, got)
		}
	}
}
