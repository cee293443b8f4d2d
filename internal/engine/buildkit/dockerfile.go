package buildkit

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// dockerfile is what the AST of a build's Dockerfile tells. Which images a
// build resolves, it never decides.
type dockerfile struct {
	base   string          // image at the root of the final stage; empty when unknown, or for scratch
	stages map[string]bool // names, in lower case
	args   map[string]bool // declared by ARG, anywhere
}

// parseDockerfile reads a Dockerfile. One that only an external frontend
// understands tells nothing.
func parseDockerfile(data []byte, opts map[string]string) *dockerfile {
	d := &dockerfile{stages: map[string]bool{}, args: map[string]bool{}}
	ast, err := parser.Parse(bytes.NewReader(data))
	if err != nil {
		return d
	}
	stages, metaArgs, err := instructions.Parse(ast.AST, nil)
	if err != nil {
		return d
	}
	for _, stage := range stages {
		if stage.Name != "" {
			d.stages[strings.ToLower(stage.Name)] = true
		}
		for _, command := range stage.Commands {
			if arg, ok := command.(*instructions.ArgCommand); ok {
				d.declare(*arg)
			}
		}
	}
	for _, arg := range metaArgs {
		d.declare(arg)
	}
	lex := shell.NewLex(ast.EscapeToken)
	vars := platformArgs(opts["platform"])
	expandMetaArgs(lex, vars, metaArgs, opts)
	d.base = finalBase(stages, func(word string) string { return expand(lex, word, vars) }, opts["target"])
	return d
}

func (d *dockerfile) declare(arg instructions.ArgCommand) {
	for _, kv := range arg.Args {
		d.args[kv.Key] = true
	}
}

// env is the variables that FROM lines may use.
type env map[string]string

// Get implements shell.EnvGetter.
func (e env) Get(key string) (string, bool) {
	value, ok := e[key]
	return value, ok
}

// Keys implements shell.EnvGetter.
func (e env) Keys() []string {
	var keys []string
	for key := range e {
		keys = append(keys, key)
	}
	return keys
}

// platformArgs returns the variables that tell of the machine and of the
// platform that is built for; with several, of the first.
func platformArgs(target string) env {
	vars := env{}
	first, _, _ := strings.Cut(target, ",")
	for prefix, text := range map[string]string{"BUILD": platforms.DefaultString(), "TARGET": first} {
		p, err := platforms.Parse(text)
		if err != nil {
			continue
		}
		vars[prefix+"PLATFORM"], vars[prefix+"OS"] = platforms.Format(p), p.OS
		vars[prefix+"ARCH"], vars[prefix+"VARIANT"] = p.Architecture, p.Variant
	}
	return vars
}

// expandMetaArgs adds the values of the ARGs before the first FROM to vars.
func expandMetaArgs(lex *shell.Lex, vars env, metaArgs []instructions.ArgCommand, opts map[string]string) {
	for _, command := range metaArgs {
		for _, arg := range command.Args {
			value, given := opts["build-arg:"+arg.Key]
			if !given && arg.Value != nil {
				value = expand(lex, *arg.Value, vars)
			}
			if given || arg.Value != nil {
				vars[arg.Key] = value
			}
		}
	}
}

// expand replaces the variables of a word, or returns it as it is.
func expand(lex *shell.Lex, word string, vars env) string {
	result, err := lex.ProcessWordWithMatches(word, vars)
	if err != nil {
		return word
	}
	return result.Result
}

// finalBase follows the final stage, or target, to the image it stands on.
func finalBase(stages []instructions.Stage, expand func(string) string, target string) string {
	at := len(stages) - 1
	if target != "" {
		if i, ok := instructions.HasStage(stages, target); ok {
			at = i
		}
	}
	for at >= 0 {
		name := expand(stages[at].BaseName)
		below, ok := instructions.HasStage(stages[:at], name)
		if !ok {
			if name == "scratch" {
				return ""
			}
			return name
		}
		at = below
	}
	return ""
}

// predefinedArgs need no ARG line.
var predefinedArgs = []string{
	"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "FTP_PROXY", "ftp_proxy",
	"NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy", "SOURCE_DATE_EPOCH",
}

// warnUnusedArgs says which build arguments no ARG takes, as docker does.
func (b *build) warnUnusedArgs() {
	if len(b.dockerfile.args) == 0 && len(b.dockerfile.stages) == 0 && b.dockerfile.base == "" {
		return // nothing is known of the Dockerfile
	}
	var unused []string
	for _, arg := range append(slices.Clone(b.Flags.Args), b.Flags.SecretArgs...) {
		if !b.dockerfile.args[arg.Name] && !slices.Contains(predefinedArgs, arg.Name) && !strings.HasPrefix(arg.Name, "BUILDKIT_") {
			unused = append(unused, arg.Name)
		}
	}
	if len(unused) > 0 {
		fmt.Fprintf(b.Out, "[Warning] One or more build-args %v were not consumed\n", unused)
	}
}
