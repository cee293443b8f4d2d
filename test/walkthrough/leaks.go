package walkthrough

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// WantNoSecrets looks for the secrets in all that is said and kept: runs and their
// logs, tasks, the container group, the audit log, the server's own, its metrics
// and its database.
func (p *Person) WantNoSecrets(ctx context.Context) error {
	secrets, err := p.secrets(ctx)
	if err != nil {
		return err
	}
	said, err := p.said(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for place, text := range said {
		for name, secret := range secrets {
			if strings.Contains(text, secret) {
				errs = append(errs, fmt.Errorf("the secret %s is in %s", name, place))
			}
		}
	}
	return errors.Join(errs...)
}

// secrets returns what nobody may see who is not given it: what is in the vault,
// and the admin's own.
func (p *Person) secrets(ctx context.Context) (map[string]string, error) {
	s := p.stage
	all := map[string]string{"of the admin": s.Server.Secret, "of the hub": s.hub.Password, "of the git host": s.git.Token()}
	names, err := s.ask(ctx, "keyvault", "secret", "list", "--vault-name", p.Names.Vault, "--query", "[].name", "-o", "tsv")
	if err != nil {
		return nil, err
	}
	for name := range strings.FieldsSeq(names) {
		if strings.HasSuffix(name, "-user") {
			continue // known to all
		}
		value, err := s.ask(ctx, "keyvault", "secret", "show", "--vault-name", p.Names.Vault, "-n", name, "--query", "value", "-o", "tsv")
		if err != nil {
			return nil, err
		}
		all[name] = strings.TrimSpace(value)
	}
	return all, nil
}

// said returns what the server has said and kept, by where.
func (p *Person) said(ctx context.Context) (map[string]string, error) {
	s := p.stage
	all := map[string]string{"the server's log": s.Server.Log()}
	commands := [][]string{
		{"container", "show", "-g", p.Names.Group + "-rg", "-n", p.Names.Group},
		{"container", "logs", "-g", p.Names.Group + "-rg", "-n", p.Names.Group},
		{"monitor", "activity-log", "list", "--max-events", "2000"},
	}
	for task, t := range p.Names.tasks() {
		if _, err := s.ask(ctx, "acr", "task", "show", "-r", t.registry, "-n", task); err != nil {
			continue // it is made later
		}
		commands = append(commands,
			[]string{"acr", "task", "list-runs", "-r", t.registry, "-o", "json"}, []string{"acr", "task", "show", "-r", t.registry, "-n", task},
			[]string{"acr", "task", "credential", "list", "-r", t.registry, "-n", task}, []string{"acr", "token", "list", "-r", t.registry})
		runs, err := s.ask(ctx, "acr", "task", "list-runs", "-r", t.registry, "--top", "100", "--query", "[].runId", "-o", "tsv")
		if err != nil {
			return nil, err
		}
		for id := range strings.FieldsSeq(runs) {
			commands = append(commands, []string{"acr", "task", "logs", "-r", t.registry, "--run-id", id})
		}
	}
	for _, args := range commands {
		text, err := s.ask(ctx, args...)
		// The log of a failed run comes with an error.
		if err != nil && text == "" {
			return nil, err
		}
		all[strings.Join(args, " ")] = text
	}
	metrics, err := get(ctx, "http://"+s.Server.Addr+"/metrics")
	if err != nil {
		return nil, err
	}
	all["the metrics"] = metrics
	for _, name := range []string{"drydock.db", "drydock.db-wal"} {
		text, err := os.ReadFile(filepath.Join(s.Server.Data, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		all[name] = string(text)
	}
	return all, nil
}

func get(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}
