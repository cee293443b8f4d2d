package sourcewatch

import (
	"context"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost"
)

// maxPaths is how many changed files matter; of more, any may have changed.
const maxPaths = 10_000

// complete adds to a change what is known of it beside what it is.
func (w *Watcher) complete(ctx context.Context, v view, provider githost.Kind, c *drydock.SourceChange) {
	c.Trigger, c.Provider, c.Repository, c.AllPaths = v.watch.Trigger, string(provider), v.watch.Repository, true
	if c.Provider == "" {
		c.Provider = string(githost.Plain)
	}
	told := -1
	for i, h := range v.hint.changes {
		if h.Commit == c.Commit && h.Pull == c.Pull && (c.Pull != "" || h.Ref == c.Ref) {
			told = i
		}
	}
	if told >= 0 && v.hint.changes[told].Actor != "" {
		c.Actor = v.hint.changes[told].Actor
	}
	if !v.source.HasPaths() {
		return
	}
	if h := told; h >= 0 && c.Pull == "" && v.hint.changes[h].Before == c.Before && !v.hint.changes[h].AllPaths {
		c.Paths, c.AllPaths = v.hint.changes[h].Paths, false
		return
	}
	paths, all, err := w.paths(ctx, v, provider, *c)
	if err != nil {
		w.Log.WarnContext(ctx, "the files that changed are not known, so that any may have", "task", v.watch.Task.String(),
			"trigger", v.watch.Trigger, "repository", v.watch.Repository, "commit", c.Commit, "error", err)
		return
	}
	if all && len(paths) <= maxPaths {
		c.Paths, c.AllPaths = paths, false
	}
}

// paths asks which files a change is about.
func (w *Watcher) paths(ctx context.Context, v view, provider githost.Kind, c drydock.SourceChange) ([]string, bool, error) {
	if c.Pull != "" {
		host, err := githost.New(provider, v.watch.Repository, v.token, w.Hosts)
		if err != nil {
			return nil, false, err
		}
		return host.PullPaths(ctx, c.Pull)
	}
	if c.Before == "" {
		return nil, false, nil
	}
	paths, err := w.changed(ctx, v.watch.Repository, v.token, c.Before, c.Commit)
	return paths, true, err
}
