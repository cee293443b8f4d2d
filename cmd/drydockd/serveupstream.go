package main

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
	"github.com/drydockhq/drydock/internal/upstream"
)

// openUpstream opens what watches images in other registries.
func (d *daemon) openUpstream() {
	watched := &watchedImages{daemon: d, known: map[string][]drydock.RunCredential{}}
	d.upstream = upstream.New(upstream.Config{
		Watched: watched, Store: d.store,
		Resolver: &upstream.Registries{
			Mirrors: d.config.Mirrors, Insecure: d.isInsecure, Transport: d.realTransport, Now: d.now,
		},
		Interval: func(host string) upstream.Interval { return upstream.Interval(d.config.Poll(host)) },
		Now:      d.now, NewID: uuid.NewString, Random: rand.Float64, Log: d.log,
	})
	d.alongside(d.upstream.Run)
	d.follow("upstream", watched.handle)
	d.hooks.Handle(upstream.Pattern, &upstream.Hooks{Secret: d.hookSecret, Hint: d.upstream.Hint, Log: d.log, Now: d.now})
}

// lookAgain has images looked at that may have changed.
func (d *daemon) lookAgain(images ...drydock.ImageName) {
	for _, image := range images {
		d.upstream.CheckNow(image)
	}
	d.upstream.Sync() // one that is new is looked at by that
}

// isInsecure reports whether a registry may speak plain HTTP.
func (d *daemon) isInsecure(host string) bool { return slices.Contains(d.config.Insecure, host) }

// hookSecret returns the secret of a registry's hook.
func (d *daemon) hookSecret(ctx context.Context, registry string) (string, error) {
	r, err := registryDirectory{d}.Registry(ctx, registry)
	if err != nil {
		return "", err
	}
	return (&auth.AdminUsers{Resources: d.store, Sealer: d.sealer}).KnownHookSecret(ctx, r.ID)
}

// watchedImages says which images of other registries are watched, and as whom.
type watchedImages struct {
	*daemon

	mu      sync.Mutex
	known   map[string][]drydock.RunCredential // by task
	changes int                                // of tasks, so far
}

var _ upstream.Watched = (*watchedImages)(nil)

// WatchedImages implements upstream.Watched.
func (w *watchedImages) WatchedImages(ctx context.Context) ([]drydock.ImageName, error) {
	all, err := w.store.WatchedImages(ctx)
	return slices.DeleteFunc(all, func(image drydock.ImageName) bool {
		_, ours := w.names.registryName(image.Registry)
		return ours
	}), err
}

// mostCredentials bounds how many credentials one image is asked for with.
const mostCredentials = 20

// Credentials implements upstream.Watched.
func (w *watchedImages) Credentials(ctx context.Context, image drydock.ImageName) ([]upstream.Credential, error) {
	tasks, err := w.store.ImageWatchers(ctx, image)
	if err != nil {
		return nil, err
	}
	var all []upstream.Credential
	for _, task := range tasks {
		creds, err := w.ofTask(ctx, task)
		if err != nil {
			return nil, err
		}
		for _, c := range creds {
			same := func(other upstream.Credential) bool { return other.Credential == c.Credential }
			if len(all) < mostCredentials && !slices.ContainsFunc(all, same) {
				all = append(all, c)
			}
		}
	}
	return all, nil
}

// ofTask returns the credentials of a task, as they were when it last changed,
// with what is in vaults as it is now.
func (w *watchedImages) ofTask(ctx context.Context, task drydock.ResourceID) ([]upstream.Credential, error) {
	w.mu.Lock()
	creds, ok := w.known[task.Key()]
	changes := w.changes
	w.mu.Unlock()
	if !ok {
		found, err := w.arm.TaskCredentials(ctx, task)
		if err != nil && drydock.CodeOf(err) != drydock.NotFound {
			return nil, err
		}
		creds = found
		w.mu.Lock()
		if w.changes == changes { // else what was read may be old
			w.known[task.Key()] = creds
		}
		w.mu.Unlock()
	}
	return w.opened(ctx, task, creds), nil
}

// opened returns credentials as registries take them. One that can't be read from
// its vault is left out: others may still do.
func (w *watchedImages) opened(ctx context.Context, task drydock.ResourceID, creds []drydock.RunCredential) []upstream.Credential {
	var all []upstream.Credential
	for _, c := range creds {
		credential, err := w.keyring.Open(ctx, task, c)
		if err != nil {
			w.log.WarnContext(ctx, "a credential of a task can't be used to look at images", "task", task.Name(), "registry", task.Parent().Name(), "host", c.Registry, "error", err)
			continue
		}
		all = append(all, upstream.Credential{
			Credential: credential, Owner: "task " + task.Name() + " in registry " + task.Parent().Name(),
		})
	}
	return all
}

// handle takes notice of tasks that watch other images, or as somebody else. It
// is a dispatch.Handler that makes no runs.
func (w *watchedImages) handle(ctx context.Context, events []drydock.Event) ([]drydock.RunRecord, error) {
	for _, e := range events {
		if e.Kind != drydock.TaskChangedEvent {
			continue
		}
		w.mu.Lock()
		delete(w.known, e.Subject.Key())
		w.changes++
		w.mu.Unlock()
		if err := w.tryAgain(ctx, e.Subject); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// tryAgain looks at the images of a task that could not be read: it may have
// another credential now.
func (w *watchedImages) tryAgain(ctx context.Context, task drydock.ResourceID) error {
	known, err := w.store.TaskImages(ctx, task)
	if err != nil {
		return err
	}
	for _, b := range known[0].Bases {
		p, err := w.store.ImagePoll(ctx, b.Image)
		if err != nil && drydock.CodeOf(err) != drydock.NotFound {
			return err
		}
		if err == nil && p.Problem != "" {
			w.upstream.CheckNow(b.Image)
		}
	}
	return nil
}

// registryHooks is the URL below which registries tell of pushes.
func (d *daemon) registryHooks() string {
	return cmp.Or(d.publicURL(), d.names.url(managementHost)) + hooksPath + "registry/"
}
