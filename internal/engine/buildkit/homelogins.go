package buildkit

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/moby/buildkit/identity"
)

// writeLogins writes the run's registry logins where docker's own clients look.
func (s *session) writeLogins() error {
	type entry struct {
		Auth string `json:"auth"`
	}
	config := struct {
		Auths map[string]entry `json:"auths"`
	}{Auths: map[string]entry{}}
	for _, c := range s.logins.all() {
		key := registryKey(c.Registry)
		if key == "docker.io" {
			key = "https://index.docker.io/v1/"
		}
		if _, stronger := config.Auths[key]; stronger {
			continue
		}
		if s.spec.Hosts != nil && s.spec.Hosts.Confine != nil {
			c = s.spec.Hosts.Confine(s.ctx, c)
			if s.spec.Secret != nil {
				s.spec.Secret(c.Password)
			}
		}
		config.Auths[key] = entry{Auth: base64.StdEncoding.EncodeToString([]byte(c.Username + ":" + c.Password))}
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
