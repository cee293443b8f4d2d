package walkthrough

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Check is what is looked at when all has happened and nothing is deleted yet.
func (p *Person) Check(ctx context.Context) error {
	return errors.Join(
		// Nothing may have come of what is over.
		p.expect(ctx, p.Names.Public), p.expect(ctx, p.Names.Base), p.expect(ctx, p.Names.Team),
		p.wantTags(ctx), p.wantReaders(ctx), p.WantNoSecrets(ctx), p.wantHub(ctx), p.wantGaps(ctx),
	)
}

// wantTags checks what is in the registries: what was built for the gate's test is
// not, and neither is Red in the one behind the gate.
func (p *Person) wantTags(ctx context.Context) error {
	var errs []error
	images := map[string]map[string]string{}
	for registry, want := range map[string][]string{
		p.Names.Public: {"node:15-alpine"},
		p.Names.Base:   {"node:15-alpine", "node:15-alpine-ca1", "node:15-alpine-ca2"},
		p.Names.Team:   {"hello-world:ca1", "hello-world:ca2", "hello-world:ca3", "hello-world:ca4", "hello-world:ca5"},
	} {
		have, err := p.stage.images(ctx, registry)
		if err != nil {
			return err
		}
		images[registry] = have
		if got := slices.Sorted(maps.Keys(have)); !slices.Equal(got, want) {
			errs = append(errs, fmt.Errorf("%s has the images %q, not %q", registry, got, want))
		}
	}
	base := images[p.Names.Base]
	if base["node:15-alpine"] != base["node:15-alpine-ca2"] || base["node:15-alpine"] == base["node:15-alpine-ca1"] {
		errs = append(errs, fmt.Errorf("what has passed the gate last is not what is built on: %v", base))
	}
	if red := images[p.Names.Public]["node:15-alpine"]; slices.Contains(slices.Collect(maps.Values(base)), red) {
		errs = append(errs, fmt.Errorf("red (%s) has passed the gate: %v", red, base))
	}
	return errors.Join(errs...)
}

// images returns the digests of what a registry has, by REPOSITORY:TAG.
func (s *Stage) images(ctx context.Context, registry string) (map[string]string, error) {
	all := map[string]string{}
	repositories, err := s.ask(ctx, "acr", "repository", "list", "-n", registry, "-o", "tsv")
	if err != nil {
		return nil, err
	}
	for repository := range strings.FieldsSeq(repositories) {
		tags, err := s.ask(ctx, "acr", "repository", "show-tags", "-n", registry, "--repository", repository,
			"--detail", "--query", "[].[name,digest]", "-o", "tsv")
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(tags) {
			tag, digest, _ := strings.Cut(strings.TrimSpace(line), "\t")
			all[repository+":"+tag] = digest
		}
	}
	return all, nil
}

// tasks are where tasks are, and what their identities are to read: the secrets
// registry-NAME-user and registry-NAME-password of these names.
func (n Names) tasks() map[string]struct {
	registry string
	reads    []string
} {
	return map[string]struct {
		registry string
		reads    []string
	}{
		"node-public":      {n.Public, []string{"dockerhub"}},
		"hello-world":      {n.Team, []string{n.Public, n.Team, n.Base}},
		"base-import-node": {n.Base, []string{n.Public}},
	}
}

// wantReaders checks by the audit log that each identity has read its secrets and
// nobody else has read any, but for the one who signs in to the git host.
func (p *Person) wantReaders(ctx context.Context) error {
	want := map[string][]string{"admin": {"github-token"}}
	names := map[string]string{}
	for task, t := range p.Names.tasks() {
		id, err := p.stage.ask(ctx, "acr", "task", "show", "-n", task, "-r", t.registry, "--query", "identity.principalId", "-o", "tsv")
		if err != nil {
			return err
		}
		names[strings.TrimSpace(id)] = task
		for _, name := range t.reads {
			want[task] = append(want[task], "registry-"+name+"-user", "registry-"+name+"-password")
		}
		slices.Sort(want[task])
	}
	events, err := p.stage.ask(ctx, "monitor", "activity-log", "list", "--namespace", "Microsoft.KeyVault", "--max-events", "2000",
		"--start-time", p.began.UTC().Format(time.RFC3339), "--query",
		"[?ends_with(operationName.value, 'secrets/getSecret/action')].[claims.oid, caller, status.value, httpRequest.clientIpAddress, resourceId]", "-o", "tsv")
	if err != nil {
		return err
	}
	got, problems := readers(events, names)
	for _, who := range slices.Sorted(maps.Keys(want)) {
		if !slices.Equal(got[who], want[who]) {
			problems = append(problems, fmt.Errorf("%s has read the secrets %q, not %q:\n%s", who, got[who], want[who], events))
		}
	}
	return errors.Join(problems...)
}

var secretName = regexp.MustCompile(`/secrets/([a-z0-9-]+)`)

// readers returns the secrets that somebody has read, in order and once each.
func readers(events string, names map[string]string) (all map[string][]string, problems []error) {
	all = map[string][]string{}
	for line := range strings.Lines(events) {
		f := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if len(f) != 5 {
			return nil, []error{fmt.Errorf("not an event: %q", line)}
		}
		if f[1] == "anonymous" && f[2] == "Denied" {
			continue // clients ask without a token to learn where to get one
		}
		who, secret := names[f[0]], secretName.FindStringSubmatch(f[4])
		if who == "" && f[1] == "drydock-admin" {
			who = "admin"
		}
		// The server looks what a task needs when it is made: then its identity has
		// no rights yet.
		early := f[2] == "Denied" && f[3] == "server"
		if who == "" || secret == nil || f[2] != "Succeeded" && !early {
			problems = append(problems, fmt.Errorf("nobody should have done this: %q", line))
			continue
		}
		if !slices.Contains(all[who], secret[1]) {
			all[who] = append(all[who], secret[1])
		}
	}
	for _, list := range all {
		slices.Sort(list)
	}
	return all, problems
}

// wantGaps checks that the page was not gone but while a task deployed it.
func (p *Person) wantGaps(ctx context.Context) error {
	text, err := p.stage.ask(ctx, "acr", "task", "list-runs", "-r", p.Names.Team, "--top", "100", "--query", "[].[startTime,finishTime]", "-o", "json")
	if err != nil {
		return err
	}
	var times [][2]time.Time
	if err := json.Unmarshal([]byte(text), &times); err != nil {
		return fmt.Errorf("reading the times of runs: %w", err)
	}
	var deploys []span
	for _, t := range times {
		deploys = append(deploys, span{t[0], t[1]})
	}
	return p.watch.wantGaps(deploys)
}
