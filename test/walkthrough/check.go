package walkthrough

import (
	"context"
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
		p.wantTags(ctx), p.wantReaders(ctx), p.WantNoSecrets(ctx), p.wantHub(),
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
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) != 5 {
			return nil, []error{fmt.Errorf("not an event: %q", line)}
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

// wantHub checks that the images of the hub were had by an account: nobody else is
// given any.
func (p *Person) wantHub() error {
	for _, r := range p.stage.hub.registry.Requests() {
		if strings.Contains(r.Path, "/blobs/") && r.Status < 400 {
			return nil
		}
	}
	return errors.New("nothing was pulled from the hub")
}

var colourCode = regexp.MustCompile("\x1b\\[[0-9;]*m")

// failedGate are lines of the log of the run that the gate has stopped.
const failedGate = `(?m)^TIME Launching container with name: validate-base-image
Validating Image
NODE_VERSION: 15-alpine
BACKGROUND_COLOR: Red
ERROR: Invalid Color: Red
TIME Container failed during run: validate-base-image\. No retries remaining\.
failed to run step ID: validate-base-image: exit status 1$`

// runTable are the columns of list-runs, and lines that are in the tables.
const runTable = `(?m)^RUN ID +TASK +PLATFORM +STATUS +TRIGGER +STARTED +DURATION *$
(?m)^ca2 +node-public +linux +Succeeded +Commit +TIME +\d\d:\d\d:\d\d *$
(?m)^ca2 +hello-world +linux +Succeeded +Image Update +TIME +\d\d:\d\d:\d\d *$
(?m)^ca2 +base-import-node +linux +Succeeded +Image Update +TIME +\d\d:\d\d:\d\d *$
(?m)^ca3 +base-import-node +linux +Failed +Image Update +TIME +\d\d:\d\d:\d\d *$
(?m)^ca4 +hello-world +linux +Succeeded +Image Update +TIME +\d\d:\d\d:\d\d *$
(?m)^ca1 +node-public +linux +Succeeded +Manual +TIME +\d\d:\d\d:\d\d *$`

// Check checks what the script has printed: tables and logs as the article shows
// them.
func (p *Played) Check() error {
	text := strings.ReplaceAll(colourCode.ReplaceAllString(p.Output, ""), "\r", "")
	patterns := strings.Split(strings.ReplaceAll(runTable, "TIME", `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "\n")
	patterns = append(patterns, strings.ReplaceAll(failedGate, "TIME", `\d{4}/\d\d/\d\d \d\d:\d\d:\d\d`))
	var errs []error
	for _, pattern := range patterns {
		if !regexp.MustCompile(pattern).MatchString(text) {
			errs = append(errs, fmt.Errorf("the script has not printed %s", pattern))
		}
	}
	return errors.Join(errs...)
}
