package vault

import (
	"context"
	"regexp"
	"strings"

	"github.com/drydockhq/drydock"
)

// environment is a source in the server's environment: the secret docker-password
// with the prefix SECRET_ is the variable SECRET_DOCKER_PASSWORD.
type environment struct {
	prefix string
	values map[string]string
}

var (
	_ Source = (*environment)(nil)

	variablePrefix = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)
)

// newEnvironment returns a source. A prefix keeps the rest of the environment
// from whoever may name a secret.
func newEnvironment(prefix string, environ []string) (*environment, error) {
	if !variablePrefix.MatchString(prefix) {
		return nil, drydock.Errorf(drydock.Invalid, "%q is not what the names of variables begin with", prefix).
			WithHint("write it as env:SECRET_, with capitals, digits and '_'")
	}
	e := &environment{prefix, map[string]string{}}
	for _, text := range environ {
		if name, value, ok := strings.Cut(text, "="); ok && strings.HasPrefix(name, prefix) {
			e.values[name] = value
		}
	}
	return e, nil
}

// Secret implements Source.
func (e *environment) Secret(_ context.Context, name, version string) (string, error) {
	if err := noVersion(version); err != nil {
		return "", err
	}
	variable := e.prefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	value, ok := e.values[variable]
	if !ok {
		return "", drydock.Errorf(drydock.NotFound, "the server's environment has no variable %s", variable)
	}
	return value, nil
}
