package walkthrough

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

// Word is something that a script asks a person for.
type Word func(ctx context.Context) (said string, err error)

// Add makes a further repository with the files of a folder. It returns the URL that
// tasks have, and the commit.
func (s *Stage) Add(name, folder string) (url, commit string) {
	s.t.Helper()
	w := newTree(s.t, s.git, name, folder)
	s.trees[name] = w
	commit, err := w.head()
	if err != nil {
		s.t.Fatal(err)
	}
	return w.url, commit
}

// Commit changes a file of a repository and pushes that.
func (s *Stage) Commit(repository, file, text string) error {
	return s.trees[repository].replace(file, "", text, "Change "+file)
}

// Pull opens a pull request with a change of a file, where the git host is a real
// one.
func (s *Stage) Pull(repository, file, text string) error {
	host, ok := s.git.(*giteaHost)
	if !ok {
		return errors.New("this git host has no pull requests")
	}
	w := s.trees[repository]
	if err := w.git("checkout", "--quiet", "-b", "change"); err != nil {
		return err
	}
	err := w.replace(file, "", text, "Propose "+file)
	if err := errors.Join(err, w.git("checkout", "--quiet", "main")); err != nil {
		return err
	}
	return host.user.Call(http.MethodPost, "/repos/"+host.user.Name+"/"+repository+"/pulls",
		map[string]string{"title": "change", "base": "main", "head": "change"}, nil)
}

// Trigger waits until a task has had a run for a reason, and checks that it has
// succeeded.
func (s *Stage) Trigger(ctx context.Context, registry, task, reason string) (said string, err error) {
	for deadline := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		runs, _, err := s.list(ctx, registry)
		if err != nil {
			return "", err
		}
		for _, run := range runs {
			switch run {
			case task + " " + reason + " Succeeded":
				return run + "\n", nil
			case task + " " + reason + " Failed":
				return "", errors.New(run)
			}
		}
		if time.Now().After(deadline) {
			return "", fmt.Errorf("%s has had no run with the trigger %s, but %q", task, reason, runs)
		}
	}
}

// Principal makes a service principal that has a role on a registry, and nothing
// else.
func (s *Stage) Principal(ctx context.Context, name, role, scope string) (id, secret string, err error) {
	text, err := s.ask(ctx, "ad", "sp", "create-for-rbac", "--name", name, "--role", role, "--scopes", scope, "-o", "json")
	if err != nil {
		return "", "", err
	}
	var made struct{ AppID, Password string }
	if err := json.Unmarshal([]byte(text), &made); err != nil {
		return "", "", fmt.Errorf("reading the service principal: %w", err)
	}
	return made.AppID, made.Password, nil
}

// Must runs drydock as the admin, and returns what it printed.
func (s *Stage) Must(args ...string) string {
	s.t.Helper()
	out, err := s.ask(s.t.Context(), args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

// Owner returns the URL of a repository with the token that opens it, as builds of
// private repositories are given it.
func (s *Stage) Owner(repository string) string {
	return withPassword(s.trees[repository].url, "token", s.git.Token())
}

// Token is the one that opens the repositories.
func (s *Stage) Token() string { return s.git.Token() }

// HubPassword is the password of the account at the hub.
func (s *Stage) HubPassword() string { return s.hub.Password }

// Folder returns the work tree of a repository.
func (s *Stage) Folder(repository string) string { return filepath.Clean(s.trees[repository].dir) }

// Images returns the digests of what a registry has, by REPOSITORY:TAG.
func (s *Stage) Images(registry string) map[string]string {
	s.t.Helper()
	all, err := s.images(s.t.Context(), registry)
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}
