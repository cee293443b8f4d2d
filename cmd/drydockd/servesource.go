package main

import (
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost"
	"github.com/drydockhq/drydock/internal/sourcewatch"
)

// Where git hosts call, and where people read the logs of runs that they were
// told of, below hooksPath.
const (
	gitHooks = hooksPath + "git/"
	gitLogs  = gitHooks + "log/"
)

// openSources opens what watches git repositories.
func (d *daemon) openSources() {
	w := &sourcewatch.Watcher{
		Tasks: d.arm, Repositories: gitRepositories{d}, Store: d.store, Sealer: d.sealer,
		Hosts:   githost.Options{HTTP: d.network.Client(), Now: d.now},
		HookURL: d.gitHookURL, LogURL: d.gitLogURL, Cancel: d.supersede,
		Poll: d.config.SourcePoll, Now: d.now, Log: d.log, NewSecret: rand.Text,
	}
	d.sources = w
	// What the consumer has armed is due at once, though only when it is written.
	c := d.follow("sources", w.Handle)
	c.Store, c.Handled = awakening{d.store, w.Wake}, w.Handled
	d.alongside(w.Run)
	d.hooks.HandleFunc("POST "+gitHooks+"{id}", w.Receive)
	d.hooks.HandleFunc("GET "+gitLogs+"{link}", d.linkedLog)
}

// awakening calls something after each transaction.
type awakening struct {
	drydock.Transactor
	after func()
}

// Atomically implements drydock.Transactor.
func (a awakening) Atomically(ctx context.Context, f func(ctx context.Context) error) error {
	err := a.Transactor.Atomically(ctx, f)
	if err == nil {
		a.after()
	}
	return err
}

// supersede ends a run.
func (d *daemon) supersede(ctx context.Context, registry drydock.ResourceID, run string) error {
	_, err := (&runQueue{d}).Cancel(ctx, registry, run)
	return err
}

// publicURL is where others reach the management host, without a final slash;
// empty if it is not known that they do.
func (d *daemon) publicURL() string {
	if d.config.PublicURL == nil {
		return ""
	}
	return strings.TrimSuffix(d.config.PublicURL.String(), "/")
}

// gitHookURL returns where the git host of a repository can call for a watch, or
// why it can't. One on this machine calls the listener itself, for which it needs
// neither the server's names nor its certificate.
func (d *daemon) gitHookURL(ctx context.Context, repository, id string) (hookURL, problem string) {
	if public := d.publicURL(); public != "" {
		return public + gitHooks + id, ""
	}
	if host := githost.HostName(repository); host == "" || !onThisMachine(ctx, host) {
		return "", "the server does not know by which URL the git host reaches it: set public-url"
	}
	address, _ := d.local(d.listener.Addr())("")
	return "http://" + address + gitHooks + id, ""
}

// onThisMachine reports whether a host is this machine by all of its addresses.
func onThisMachine(ctx context.Context, host string) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(addresses) == 0 {
		return false
	}
	own := map[netip.Addr]bool{}
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range interfaces {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			own[p.Addr().Unmap()] = true
		}
	}
	return !slices.ContainsFunc(addresses, func(a netip.Addr) bool { return !a.IsLoopback() && !own[a.Unmap().WithZone("")] })
}

// gitLogURL returns where people read the log of a run with a link.
func (d *daemon) gitLogURL(link string) string {
	if !d.config.LogLinks {
		return ""
	}
	base := d.publicURL()
	if base == "" {
		base = d.names.url(managementHost)
	}
	return base + gitLogs + link
}

// linkedLog shows the log of a run to those who have its link, as it comes.
func (d *daemon) linkedLog(w http.ResponseWriter, r *http.Request) {
	registry, run, err := d.sources.LinkedRun(r)
	var target *url.URL
	if err == nil {
		links, linkErr := d.blobs.LogLinks(r.Context(), registry, run)
		if err = linkErr; err == nil {
			target, err = url.Parse(links.Follow)
		}
	}
	switch {
	case drydock.CodeOf(err) == drydock.NotFound:
		http.Error(w, "there is no such log, or it is too old", http.StatusNotFound)
		return
	case err != nil:
		d.log.ErrorContext(r.Context(), "showing a log", "run", run, "error", err)
		http.Error(w, "try again later", http.StatusServiceUnavailable)
		return
	}
	// What a run prints is text, whatever it looks like.
	for name, value := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox", "Referrer-Policy": "no-referrer",
	} {
		w.Header().Set(name, value)
	}
	inner := r.Clone(r.Context())
	inner.URL, inner.Host = target, target.Host
	d.blobHandler.ServeHTTP(w, inner)
}

// gitRepositories looks at git repositories as runs do.
type gitRepositories struct{ *daemon }

var _ sourcewatch.Repositories = gitRepositories{}

// Refs implements sourcewatch.Repositories.
func (g gitRepositories) Refs(ctx context.Context, repository, token string, patterns ...string) (map[string]string, string, error) {
	f, err := g.fetches.fetcher(repository, token)
	if err != nil {
		return nil, "", err
	}
	refs, err := f.Refs(ctx, repository, patterns...)
	return refs.Commits, refs.Default, err
}

// Changed implements sourcewatch.Repositories.
func (g gitRepositories) Changed(ctx context.Context, repository, token, before, after string) ([]string, error) {
	f, err := g.fetches.fetcher(repository, token)
	if err != nil {
		return nil, err
	}
	return f.Changed(ctx, repository, before, after)
}
