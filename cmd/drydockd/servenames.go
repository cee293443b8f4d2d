package main

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/hostsfile"
)

const systemHostsFile = "/etc/hosts"

// namesEvery is how often the hosts file follows what there is.
const namesEvery = time.Second

// nameKeeper keeps the server's names in the hosts file.
type nameKeeper struct {
	d    *daemon
	file *hostsfile.File

	mu   sync.Mutex
	last string
}

// manageHosts keeps the server's names in the hosts file, if that is wanted,
// until what it returns is called.
func (d *daemon) manageHosts(ctx context.Context) (remove func() error, err error) {
	if !d.config.ManageHosts {
		return func() error { return nil }, nil
	}
	k := &nameKeeper{d: d, file: hostsfile.Open(d.hostsFile, d.names.domain, "127.0.0.1")}
	if err := k.keep(ctx); err != nil {
		return nil, err
	}
	d.nameKeeper.Store(k)
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.follow(ctx)
	}()
	return func() error {
		stop()
		<-done
		d.nameKeeper.Store(nil)
		return k.file.Remove()
	}, nil
}

// created makes the name of a new registry known before its creation is
// answered: clients may go on to push at once.
func (d *daemon) created(ctx context.Context, _ drydock.Resource) {
	if k := d.nameKeeper.Load(); k != nil {
		k.try(ctx)
	}
}

// follow writes the hosts file when registries come and go.
func (k *nameKeeper) follow(ctx context.Context) {
	tick := time.NewTicker(namesEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			k.try(ctx)
		}
	}
}

// try is keep for those who can't do anything about an error.
func (k *nameKeeper) try(ctx context.Context) {
	if err := k.keep(ctx); err != nil && ctx.Err() == nil {
		k.d.log.WarnContext(ctx, "keeping the hosts file", "error", err)
	}
}

// keep writes the hosts file if the names are not those that are there.
func (k *nameKeeper) keep(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	names, err := k.d.hostList(ctx)
	if err != nil {
		return err
	}
	groups, err := k.d.groupNames(ctx)
	if err != nil {
		return err
	}
	joined := strings.Join(names, " ")
	for _, g := range groups {
		joined += " " + g.Name + "=" + g.Address.String()
	}
	if joined == k.last {
		return nil
	}
	if err := k.file.Set(names, groups...); err != nil {
		return err
	}
	k.last = joined
	return nil
}

// hostList returns all hosts of the server, without ports.
func (d *daemon) hostList(ctx context.Context) ([]string, error) {
	names := []string{
		managementHost + "." + d.names.domain, loginHost + "." + d.names.domain,
		graphHost + "." + d.names.domain, blobAccount + "." + blobHosts + "." + d.names.domain,
	}
	registries, err := d.registries(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range registries {
		names = append(names, strings.ToLower(r.ID.Name())+"."+registryHosts+"."+d.names.domain)
	}
	vaults, err := d.store.Resources(ctx, drydock.ResourceFilter{Type: vaultType})
	if err != nil {
		return nil, err
	}
	for _, v := range vaults {
		names = append(names, strings.ToLower(v.ID.Name())+"."+vaultHosts+"."+d.names.domain)
	}
	return names, nil
}
