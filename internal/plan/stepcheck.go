package plan

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/drydockhq/drydock"
	"go.yaml.in/yaml/v3"
)

// checkKind holds that a step has one thing to do.
func (t *task) checkKind(n *yaml.Node, f map[string]*yaml.Node, s *drydock.Step) error {
	var kinds []string
	for _, kind := range []struct {
		name string
		set  bool
	}{{"build", strings.TrimSpace(s.Build) != ""}, {"cmd", strings.TrimSpace(s.Cmd) != ""}, {"push", len(s.Push) > 0}} {
		if kind.set {
			kinds = append(kinds, "`"+kind.name+"`")
		}
	}
	switch len(kinds) {
	case 1:
		return nil
	case 0:
		for _, kind := range []string{"build", "cmd", "push"} {
			if f[kind] != nil {
				return invalid(f[kind], "the step %q has an empty `%s`", s.ID, kind)
			}
		}
		return invalid(n, "the step %q has nothing to do", s.ID).WithHint("give it one of `build`, `cmd` and `push`")
	}
	return invalid(n, "the step %q has %s; it can have one of them", s.ID, strings.Join(kinds, " and ")).
		WithHint("make each a step of its own")
}

var containerName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)

const rootID = "acb_root" // taken by ACR

func (t *task) checkID(n *yaml.Node, f map[string]*yaml.Node, s *drydock.Step) error {
	if f["id"] != nil {
		n = f["id"]
	}
	switch {
	case strings.ContainsFunc(s.ID, unicode.IsSpace):
		return invalid(n, "the step id %q contains a space", s.ID)
	case s.ID == rootID || s.ID == atOnce:
		return invalid(n, "the step id %q is reserved", s.ID)
	case s.Kind() == drydock.CmdStep && !containerName.MatchString(s.ID):
		return invalid(n, "the step id %q can't name a container", s.ID).
			WithHint("use letters, digits, `_`, `.` and `-`, and begin with a letter or a digit")
	}
	return nil
}

func (t *task) checkNumbers(_ *yaml.Node, f map[string]*yaml.Node, s *drydock.Step) error {
	if s.CPUs != "" {
		n, err := strconv.ParseFloat(s.CPUs, 64)
		if err != nil || n <= 0 || math.IsInf(n, 0) || math.IsNaN(n) {
			return invalid(f["cpus"], "`cpus` is %q; it must be a number above 0, as 1.5", s.CPUs)
		}
	}
	if s.Timeout < time.Second {
		return invalid(f["timeout"], "`timeout` must be at least a second")
	}
	return nil
}

var (
	portMapping = regexp.MustCompile(`^(?:(?:\[[0-9a-fA-F:.]+\]|[0-9.]+):)?(?:(?:\d+(?:-\d+)?)?:)?(\d+(?:-\d+)?)(?:/(?:tcp|udp|sctp))?$`)
	exposedPort = regexp.MustCompile(`^(\d+(?:-\d+)?)(?:/(?:tcp|udp|sctp))?$`)
	portNumber  = regexp.MustCompile(`\d+`)
)

func (t *task) checkPorts(_ *yaml.Node, f map[string]*yaml.Node, s *drydock.Step) error {
	for _, p := range s.Ports {
		if !validPort(portMapping, p) {
			return invalid(f["ports"], "`ports` has %q; write it as HOST:CONTAINER, as \"8080:80\"", p)
		}
	}
	for _, p := range s.Expose {
		if !validPort(exposedPort, p) {
			return invalid(f["expose"], "`expose` has %q; write a port, as \"80\" or \"53/udp\"", p)
		}
	}
	return nil
}

func validPort(form *regexp.Regexp, s string) bool {
	match := form.FindStringSubmatch(s)
	if match == nil {
		return false
	}
	for _, number := range portNumber.FindAllString(match[1], -1) {
		if n, err := strconv.Atoi(number); err != nil || n < 1 || n > 65535 {
			return false
		}
	}
	return true
}
