package buildkit

import (
	"fmt"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/shell"
)

// defaultPath is the PATH of a container whose image sets none.
const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// args returns the container's command line as `docker run` makes it.
func (c *container) args() ([]string, error) {
	entry, cmd := c.config.Config.Entrypoint, c.config.Config.Cmd
	if c.EntryPoint != "" {
		var err error
		if entry, err = c.splitEntryPoint(); err != nil {
			return nil, err
		}
		cmd = nil
	}
	if len(c.Args) > 0 {
		cmd = c.Args
	}
	args := append(append([]string{}, entry...), cmd...)
	if len(args) == 0 {
		return nil, drydock.Errorf(drydock.Failed, "image %s has no command", c.Image).
			WithHint("write one after the image's name")
	}
	return args, nil
}

// splitEntryPoint splits the step's entry point as a shell would, with the
// step's variables.
func (c *container) splitEntryPoint() ([]string, error) {
	entry, err := shell.Fields(c.EntryPoint, func(name string) (string, bool) { return lookupEnv(c.Env, name) })
	if err != nil {
		return nil, fmt.Errorf("entryPoint: %w", err)
	}
	return entry, nil
}

// env returns the image's variables, then the run's, then the step's.
func (c *container) env() []string {
	env := append([]string{defaultPath}, c.config.Config.Env...)
	env = append(env, "HOSTNAME="+c.Name, "HOME="+homeDir)
	if registry := c.session.spec.Registry; registry != "" {
		env = append(env, "ACR_DEFAULT_REGISTRY="+registry) // where ACR's own programs look
	}
	env = append(env, c.hostsEnv()...)
	return mergeEnv(append(env, c.Env...))
}

// mergeEnv leaves the last value of each variable, in the place of the first.
func mergeEnv(env []string) []string {
	seen := map[string]int{}
	var merged []string
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		if i, ok := seen[name]; ok {
			merged[i] = kv
			continue
		}
		seen[name] = len(merged)
		merged = append(merged, kv)
	}
	return merged
}

func (c *container) workingDir() string {
	switch {
	case c.Dir != "":
		return inContainer(c.Dir)
	case c.config.Config.WorkingDir != "":
		return c.config.Config.WorkingDir
	}
	return "/"
}
