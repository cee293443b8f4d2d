package main

import (
	"context"
	"strings"
	"time"

	"github.com/drydockhq/drydock/internal/hostsfile"
)

const systemHostsFile = "/etc/hosts"

// namesEvery is how often the hosts file follows what there is.
const namesEvery = time.Second

// manageHosts keeps the server's names in the hosts file, if that is wanted,
// until what it returns is called.
func (d *daemon) manageHosts(ctx context.Context) (remove func() error, err error) {
	if !d.config.ManageHosts {
		return func() error { return nil }, nil
	}
	file := hostsfile.Open(d.hostsFile, d.names.domain, "127.0.0.1")
	names, err := d.hostList(ctx)
	if err != nil {
		return nil, err
	}
	if err := file.Set(names); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.followNames(ctx, file, strings.Join(names, " "))
	}()
	return func() error {
		stop()
		<-done
		return file.Remove()
	}, nil
}

// followNames writes the hosts file when registries come and go.
func (d *daemon) followNames(ctx context.Context, file *hostsfile.File, last string) {
	tick := time.NewTicker(namesEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		names, err := d.hostList(ctx)
		if err != nil || strings.Join(names, " ") == last {
			continue // trouble with the database is said elsewhere
		}
		if err := file.Set(names); err != nil {
			d.log.WarnContext(ctx, "keeping the hosts file", "error", err)
			continue
		}
		last = strings.Join(names, " ")
	}
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
	return names, nil
}
