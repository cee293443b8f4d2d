package arm

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// story tells why a run ran, in words.
type story struct {
	server        *Server
	ctx           context.Context
	run           causedRun
	chain         []causedRun // oldest first, without the run
	before, going int         // in the queue, of a run that has not ended
	lines         []string
}

func (t *story) say(format string, args ...any) {
	t.lines = append(t.lines, fmt.Sprintf(format, args...))
}

// part begins a part with a title.
func (t *story) part(title string) { t.lines = append(t.lines, "", title) }

// tell returns the lines.
func (t *story) tell() []string {
	t.opening()
	t.images()
	t.history()
	if c := t.run.Cause; c != nil && len(c.Notes) > 0 {
		t.part("Notes:")
		for _, note := range c.Notes {
			t.say("  %s", note)
		}
	}
	t.outcome()
	return t.lines
}

func (t *story) opening() {
	r := t.run
	what := "Run " + r.ID + " in registry " + r.Registry.Name()
	if r.Task != "" {
		what = "Run " + r.ID + " of task " + r.Task + " in registry " + r.Registry.Name()
	}
	t.say("%s: %s", what, r.Status)
	t.say("Trigger: %s. %s", r.Name(), t.server.reason(t.ctx, r))
	switch r.Status {
	case drydock.RunQueued:
		t.say("It is queued: %s before it, %s.", runs(t.before, "waits", "wait"), runs(t.going, "goes on", "go on"))
	case drydock.RunStarted, drydock.RunRunning:
		t.say("It started at %s and goes on.", words(r.Started))
	}
}

// runs is a number of runs that do something.
func runs(n int, one, more string) string {
	if n == 1 {
		return "1 run " + one
	}
	return fmt.Sprintf("%d runs %s", n, more)
}

func words(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// stampOf is a timestamp, "" for no time.
func stampOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return timestamp(t)
}

// reason says in a sentence what made a run run.
func (s *Server) reason(ctx context.Context, r causedRun) string {
	by := ""
	if r.Cause != nil {
		by = r.Cause.By
	}
	if r.event != nil {
		if actor := s.actorOf(ctx, r.event); actor != "" && !strings.Contains(by, actor) {
			by = strings.TrimPrefix(by+", by "+actor, ", ")
		}
	}
	switch {
	case r.Source != nil:
		return sourceReason(r, by)
	case r.Timer != nil:
		return fmt.Sprintf("The %s was due at %s.", cmp.Or(by, "timer "+r.Timer.Name), r.Timer.Occurrence)
	case r.Image != nil && by != "":
		return fmt.Sprintf("At %s %s.", words(r.Cause.Time), by)
	case r.Image != nil:
		return "A base image changed."
	case by != "":
		return fmt.Sprintf("It was %s at %s.", by, words(r.Created))
	}
	return fmt.Sprintf("Somebody asked for it at %s.", words(r.Created))
}

func sourceReason(r causedRun, by string) string {
	d := r.Source
	what := "The commit " + abbreviated(d.CommitID)
	if d.PullRequestID != "" {
		what = "The pull request " + d.PullRequestID + " at the commit " + abbreviated(d.CommitID)
	}
	where := d.RepositoryURL
	if d.BranchName != "" {
		where = "the branch " + d.BranchName + " of " + where
	}
	if by != "" {
		by = " (" + by + ")"
	}
	return fmt.Sprintf("%s on %s%s.", what, where, by)
}

// abbreviated cuts what identifies a commit or a digest.
func abbreviated(text string) string {
	algorithm, hex, isDigest := strings.Cut(text, ":")
	if !isDigest {
		algorithm, hex = "", text
	}
	if len(hex) > 12 {
		hex = hex[:12]
	}
	return strings.TrimPrefix(algorithm+":"+hex, ":")
}

// images shows the digests before and after.
func (t *story) images() {
	c := t.run.Cause
	if c == nil || len(c.Image) == 0 {
		return
	}
	t.part("Base images that changed:")
	for _, image := range c.Image {
		t.say("  %s", image.Image)
		if image.Previous == "" {
			t.say("    before  none")
		} else {
			t.say("    before  %s", image.Previous)
		}
		t.say("    now     %s", image.Digest)
		if id, err := drydock.ParseResourceID(image.Run); image.Run != "" && err == nil {
			t.say("    pushed by %s", t.known(id))
		}
		if len(image.Platforms) > 0 {
			t.say("    changed for %s", strings.Join(image.Platforms, ", "))
		}
	}
}

// known names a run, with its task if the run is one of the chain.
func (t *story) known(id drydock.ResourceID) string {
	for _, c := range t.chain {
		if c.Registry.Child("runs", c.ID).Key() == id.Key() {
			if c.Task == "" {
				return runWords(id)
			}
			return fmt.Sprintf("run %s of task %s in registry %s", c.ID, c.Task, c.Registry.Name())
		}
	}
	return "a run that can't be shown"
}

// history shows the chain that led to the run.
func (t *story) history() {
	if len(t.chain) == 0 {
		return
	}
	t.part("How it came to this:")
	for _, c := range append(t.chain[:len(t.chain):len(t.chain)], t.run) {
		name := c.Registry.Name() + "/" + c.ID
		if c.Task != "" {
			name += " (" + c.Task + ")"
		}
		t.say("  %s  %s  %s", words(c.Created), name, c.Status)
		t.say("    %s", t.server.reason(t.ctx, c))
	}
}

// outcome shows what became of the run.
func (t *story) outcome() {
	var result struct {
		RunErrorMessage string
		OutputImages    []struct{ Registry, Repository, Tag, Digest string }
	}
	if len(t.run.Result) == 0 || json.Unmarshal(t.run.Result, &result) != nil {
		return
	}
	if result.RunErrorMessage != "" {
		t.part("How it ended:")
		t.say("  %s", result.RunErrorMessage)
	}
	if len(result.OutputImages) > 0 {
		t.part("What it pushed:")
		for _, i := range result.OutputImages {
			t.say("  %s/%s:%s  %s", i.Registry, i.Repository, i.Tag, i.Digest)
		}
	}
}
