package buildkit

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/moby/buildkit/identity"

	"github.com/drydockhq/drydock"
)

// dockerConfig is the part of docker's configuration file that has logins.
type dockerConfig struct {
	Auths map[string]dockerAuth `json:"auths"` // by registry
}

type dockerAuth struct {
	Auth string `json:"auth"`
}

// writeLogins writes the run's registry logins where docker's own clients look.
func (s *session) writeLogins() error {
	config, err := s.dockerConfig()
	if err != nil {
		return fmt.Errorf("making the registry logins of steps: %w", err)
	}
	data, err := json.MarshalIndent(config, "", "\t")
	if err != nil {
		return fmt.Errorf("writing the registry logins: %w", err)
	}
	home, err := os.OpenRoot(s.workspace.home)
	if err != nil {
		return fmt.Errorf("writing the registry logins: %w", err)
	}
	defer home.Close()
	if err := home.MkdirAll(".docker", 0o700); err != nil {
		return fmt.Errorf("writing the registry logins: %w", err)
	}
	if err := replaceFile(home, ".docker/config.json", data); err != nil {
		return fmt.Errorf("writing the registry logins: %w", err)
	}
	return nil
}

// dockerConfig returns the run's registry logins as steps may see them.
func (s *session) dockerConfig() (dockerConfig, error) {
	config := dockerConfig{map[string]dockerAuth{}}
	seen := map[string]bool{}
	for _, c := range s.logins.all() {
		key := registryKey(c.Registry)
		if key == "docker.io" {
			key = "https://index.docker.io/v1/"
		}
		if seen[key] {
			continue
		}
		seen[key] = true
		c, err := s.confined(c)
		switch {
		case drydock.CodeOf(err) == drydock.NotFound:
			continue // there is nothing to sign in to
		case err != nil:
			return config, err
		}
		config.Auths[key] = dockerAuth{base64.StdEncoding.EncodeToString([]byte(c.Username + ":" + c.Password))}
	}
	return config, nil
}

// confined returns what steps are shown of a login of the run.
func (s *session) confined(c drydock.Credential) (drydock.Credential, error) {
	if s.spec.Hosts == nil || s.spec.Hosts.Confine == nil {
		return c, nil
	}
	c, err := s.spec.Hosts.Confine(s.ctx, c)
	if err == nil && s.spec.Secret != nil {
		s.spec.Secret(c.Password)
	}
	return c, err
}

// replaceFile writes a file anew: what is in its place may be a pipe that a
// step made, and a step may be reading it.
func replaceFile(root *os.Root, name string, data []byte) error {
	temporary := name + "." + identity.NewID()
	f, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return root.Rename(temporary, name)
}
