package cli

import (
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
)

// taskDefinition are the flags of a task itself.
type taskDefinition struct {
	context, file, command, values string
	images                         []string
	args, secretArgs               []string
	set, secretSet                 []string
	target                         string
	noPush, noCache                args.Bool
	platform                       string
	cpu, timeout                   int
	status                         args.Enum
	pool, logTemplate, runRegistry string
	auth                           sourceAuth
	triggers                       triggerFlags
}

func (d *taskDefinition) define(f *flags) {
	d.status.Choices = []string{"Enabled", "Disabled"}
	f.StringVarP(&d.context, "context", "c", "", "where the source is: the URL of a git repository or a tarball, oci://…, or /dev/null")
	f.StringVarP(&d.file, "file", "f", "", "the task file or Dockerfile in the source; task files end with .yaml; - is a task file on standard input")
	f.StringVar(&d.values, "values", "", "file of values in the source")
	f.StringArrayVarP(&d.images, "image", "t", nil, "name and tag of an image; may be given several times")
	f.StringArrayVar(&d.args, "arg", nil, "build argument NAME[=VALUE]; may be given several times")
	f.StringArrayVar(&d.secretArgs, "secret-arg", nil, "secret build argument NAME[=VALUE]; may be given several times")
	f.StringArrayVar(&d.set, "set", nil, "value NAME[=VALUE]; may be given several times")
	f.StringArrayVar(&d.secretSet, "set-secret", nil, "secret value NAME[=VALUE]; may be given several times")
	f.StringVar(&d.target, "target", "", "the stage to build")
	d.noPush.Var(f.FlagSet, "no-push", "whether the image is not pushed")
	d.noCache.Var(f.FlagSet, "no-cache", "whether the cache is not used")
	f.StringVar(&d.platform, "platform", "", "OS[/ARCHITECTURE[/VARIANT]], as linux/arm64")
	f.IntVar(&d.cpu, "cpu", 0, "number of processors (default 2)")
	f.IntVar(&d.timeout, "timeout", 0, "seconds after which a run ends as timed out (default 3600)")
	f.Var(&d.status, "status", "whether the task is enabled")
	f.StringVar(&d.pool, "agent-pool", "", "agent pool that carries its runs out")
	f.StringVar(&d.logTemplate, "log-template", "", "repository and tag for the log as an artifact")
	f.StringVar(&d.runRegistry, "run-registry", "", "registry, with a path if any, that images are pushed to instead, as ghcr.io/acme")
	d.auth.define(f, "a run", systemIdentity+", the id of a user-assigned identity")
	d.triggers.define(f)
}

// hasSource reports whether the task has a context.
func (d *taskDefinition) hasSource() bool {
	return d.context != "" && !strings.EqualFold(d.context, noSource)
}

// properties returns what is set of a task beside its step and triggers.
func (d *taskDefinition) properties(c *call) (object, error) {
	if d.hasSource() && !isRemote(d.context) {
		return nil, drydock.Errorf(drydock.Invalid, "a task's context can't be a folder of this machine: %s", d.context).
			WithHint("it is the URL of a git repository or of a tarball, oci://…, or /dev/null; a folder is for one run: %s acr task run --context FOLDER", c.Name)
	}
	platform, err := platformOf(d.platform)
	if err != nil {
		return nil, usageError(c.cmd, err)
	}
	credentials, err := d.auth.ofTask(c)
	if err != nil {
		return nil, err
	}
	return with(
		"status", d.status.Value, "platform", platform, "agentConfiguration", with("cpu", d.cpu), "timeout", d.timeout,
		"agentPoolName", d.pool, "logTemplate", d.logTemplate, "runRegistry", d.runRegistry, "credentials", credentials,
	), nil
}
