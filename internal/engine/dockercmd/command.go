package dockercmd

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// command is a word of docker's command tree.
type command struct {
	name  string
	usage string // what follows the name; empty for a group
	run   func(k *call, args []string) error
	sub   []command
}

// commands returns the tree of what the builtin can do.
func commands() []command {
	pull := command{name: "pull", usage: "[OPTIONS] NAME[:TAG|@DIGEST]", run: (*call).pull}
	push := command{name: "push", usage: "[OPTIONS] NAME[:TAG]", run: (*call).push}
	tag := command{name: "tag", usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", run: (*call).tag}
	build := command{name: "build", usage: "[OPTIONS] PATH | URL | -", run: (*call).build}
	list := command{name: "images", usage: "[OPTIONS] [REPOSITORY[:TAG]]", run: (*call).images}
	remove := command{name: "rmi", usage: "[OPTIONS] IMAGE [IMAGE...]", run: (*call).rmi}
	return []command{
		build, pull, push, tag, list, remove,
		{name: "inspect", usage: "[OPTIONS] NAME|ID [NAME|ID...]", run: (*call).inspect},
		{name: "login", usage: "[OPTIONS] [SERVER]", run: (*call).login},
		{name: "logout", usage: "[SERVER]", run: (*call).logout},
		{name: "version", usage: "[OPTIONS]", run: (*call).version},
		{name: "image", sub: []command{
			build, pull, push, tag,
			list.as("ls"), list.as("list"),
			remove.as("rm"), remove.as("remove"),
			{name: "inspect", usage: "[OPTIONS] IMAGE [IMAGE...]", run: (*call).inspect},
		}},
		{name: "manifest", sub: manifestCommands()},
		{name: "builder", sub: []command{build}},
		{name: "buildx", sub: []command{
			build, build.as("b"),
			{name: "version", run: (*call).buildxVersion},
			{name: "imagetools", sub: imagetoolsCommands()},
		}},
	}
}

// as returns the command under another name.
func (c command) as(name string) command {
	c.name = name
	return c
}

// dispatch carries out the command that args begin with.
func (k *call) dispatch(parent string, tree []command, args []string) error {
	args, err := k.globalFlags(parent, tree, args)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(tree, func(c command) bool { return c.name == args[0] })
	if i < 0 {
		return &usageError{status: 1, message: fmt.Sprintf("docker: %q is not available in a run; supported: %s",
			strings.TrimPrefix(parent+" "+args[0], "docker "), supported(commands()))}
	}
	name := parent + " " + args[0]
	if tree[i].sub != nil {
		return k.dispatch(name, tree[i].sub, args[1:])
	}
	k.name, k.usage = name, tree[i].usage
	return tree[i].run(k, args[1:])
}

// globalFlags reads docker's own flags before a command and returns the rest,
// which has at least one word.
func (k *call) globalFlags(parent string, tree []command, args []string) ([]string, error) {
	flags := pflag.NewFlagSet(parent, pflag.ContinueOnError)
	flags.SetInterspersed(false)
	flags.SetOutput(io.Discard)
	help := flags.BoolP("help", "h", false, "")
	version := false
	if parent == "docker" {
		flags.BoolVarP(&version, "version", "v", false, "")
		flags.BoolP("debug", "D", false, "")
		flags.StringP("log-level", "l", "", "")
		flags.String("config", "", "")
	}
	if err := flags.Parse(args); err != nil {
		return nil, &usageError{status: 125, message: fmt.Sprintf("%s\nSupported: %s", err, supported(commands()))}
	}
	switch {
	case version:
		k.printf("%s\n", versionLine)
		return nil, pflag.ErrHelp
	case *help || flags.NArg() == 0:
		k.printf("Usage:  %s COMMAND\n\nCommands: %s\n", parent, supported(tree))
		return nil, pflag.ErrHelp
	}
	return flags.Args(), nil
}

// supported lists the commands of a tree on one line.
func supported(tree []command) string {
	var names []string
	for _, c := range tree {
		if c.sub == nil {
			names = append(names, c.name)
			continue
		}
		var subs []string
		for _, s := range c.sub {
			subs = append(subs, s.name)
		}
		names = append(names, c.name+" "+strings.Join(subs, "|"))
	}
	return strings.Join(names, ", ")
}

// flags returns an empty flag set for the command of the call.
func (k *call) flags() *pflag.FlagSet {
	f := pflag.NewFlagSet(k.name, pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.SortFlags = true
	// Docker's content trust is gone; scripts still switch it off.
	f.Bool("disable-content-trust", true, "")
	_ = f.MarkHidden("disable-content-trust")
	return f
}

// parse reads the flags in args and returns the rest, whose number must be
// between least and most; a negative most is no bound.
func (k *call) parse(flags *pflag.FlagSet, args []string, least, most int) ([]string, error) {
	switch err := flags.Parse(args); {
	case err == pflag.ErrHelp:
		k.printf("Usage:  %s %s\n\nOptions:\n%s", k.name, k.usage, flags.FlagUsages())
		return nil, err
	case err != nil:
		return nil, &usageError{status: 125, message: fmt.Sprintf("%s\n\nUsage:  %s %s", err, k.name, k.usage)}
	}
	if n := flags.NArg(); n < least || most >= 0 && n > most {
		return nil, &usageError{status: 1, message: fmt.Sprintf("%q %s\n\nUsage:  %s %s", k.name, wanted(least, most), k.name, k.usage)}
	}
	return flags.Args(), nil
}

// wanted says how many arguments a command takes, in docker's words.
func wanted(least, most int) string {
	plural := func(n int) string {
		if n == 1 {
			return "argument"
		}
		return "arguments"
	}
	switch {
	case most == 0:
		return "accepts no arguments"
	case least == most:
		return fmt.Sprintf("requires exactly %d %s", least, plural(least))
	case most < 0:
		return fmt.Sprintf("requires at least %d %s", least, plural(least))
	case least == 0:
		return fmt.Sprintf("requires at most %d %s", most, plural(most))
	default:
		return fmt.Sprintf("requires at least %d and at most %d arguments", least, most)
	}
}
