package cli

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

type buildFlags struct {
	registry registryFlags
	run      runFlags
	images   []string
	file     string
	target   string
	noPush   bool
	noCache  bool
	args     []string
	secrets  []string
}

func acrBuild() command {
	var b buildFlags
	return command{
		use: "build SOURCE", short: "Build an image and push it", args: cobra.ExactArgs(1), table: runTable,
		example: "  drydock acr build -r contoso -t hello:{{.Run.ID}} .\n  drydock acr build -r contoso -t hello https://github.com/acme/hello.git#main",
		flags: func(f *flags) {
			b.registry.byRegistry(f)
			f.StringArrayVarP(&b.images, "image", "t", nil, "name and tag of the image; may be given several times; without it nothing is pushed")
			f.StringVarP(&b.file, "file", "f", "", "the Dockerfile (default: Dockerfile in the source)")
			f.StringArrayVar(&b.args, "build-arg", nil, "NAME[=VALUE]; may be given several times")
			f.StringArrayVar(&b.secrets, "secret-build-arg", nil, "NAME[=VALUE] that is kept secret; may be given several times")
			f.StringVar(&b.target, "target", "", "the stage to build")
			f.BoolVar(&b.noPush, "no-push", false, "do not push the image")
			f.BoolVar(&b.noCache, "no-cache", false, "build without the cache")
			b.run.define(f)
		},
		run: b.build,
	}
}

func (b *buildFlags) build(c *call) (any, error) {
	r, err := b.registry.find(c)
	if err != nil {
		return nil, err
	}
	body, err := b.run.body(c, "DockerBuildRequest")
	if err != nil {
		return nil, err
	}
	src, err := c.source(c.args[0], b.file, true)
	if err != nil {
		return nil, err
	}
	if body["sourceLocation"], err = src.send(c, r); err != nil {
		return nil, err
	}
	push := !b.noPush && len(b.images) > 0
	if len(b.images) == 0 && !b.noPush {
		c.say("'--image or -t' is not provided. Skipping image push after build.")
	}
	for key, value := range with(
		"imageNames", b.images, "dockerFilePath", src.dockerfile, "target", b.target,
		"arguments", append(c.namedValues(b.args, false), c.namedValues(b.secrets, true)...),
	) {
		body[key] = value
	}
	body["isPushEnabled"], body["noCache"] = push, b.noCache
	if src.file != "" {
		b.run.wait.names = strings.NewReplacer(src.dockerfile, filepath.Base(src.file))
	}
	return b.run.schedule(c, r, body, "build")
}

// namedValues returns the arguments or values of a run: NAME=VALUE, or NAME for
// what the environment has under it.
func (a *app) namedValues(pairs []string, secret bool) []any {
	var values []any
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			value = a.getenv(name)
		}
		values = append(values, object{"name": name, "value": value, "isSecret": secret})
	}
	return values
}
