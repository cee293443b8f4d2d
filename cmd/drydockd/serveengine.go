package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
)

// openEngine opens what carries out runs. They reach the server's registries
// through its own listener, whatever their names resolve to.
func (d *daemon) openEngine(ctx context.Context, open openExecutor, listener net.Addr) (err error) {
	cas := map[string][]byte{}
	for host, pem := range d.config.CAs {
		cas[host] = pem
	}
	cas[""] = append(append(append([]byte{}, d.ownPEM...), '\n'), cas[""]...)
	d.executor, err = open(ctx, engineOptions{
		data: d.path(engineFolder), mirrors: d.config.Mirrors, cas: cas, insecure: d.config.Insecure,
		limits: d.config.Limits, maxCache: d.config.MaxCache, local: d.local(listener), dial: d.dialRegistry, downloads: d.network,
		realLocal: d.realLocal(listener), realDial: d.dialReal,
		warn:       func(format string, args ...any) { d.log.Warn(fmt.Sprintf(format, args...)) },
		instances:  d.config.Instances,
		advice:     serveAdvice(),
		libraryLog: io.Discard,
	})
	if err != nil {
		return err
	}
	d.closing(d.executor.Close)
	return nil
}

// local returns the address of the server's own listener for its registries.
func (d *daemon) local(listener net.Addr) func(host string) (string, bool) {
	return localTo(listener, d.ownRegistry)
}

// realLocal is local for who means Azure's own registries by the names of its
// clouds.
func (d *daemon) realLocal(listener net.Addr) func(host string) (string, bool) {
	return localTo(listener, d.names.registryName)
}

func localTo(listener net.Addr, own func(host string) (string, bool)) func(host string) (string, bool) {
	address := listener.String()
	if tcp, ok := listener.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		address = (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: tcp.Port}).String()
	}
	return func(host string) (string, bool) {
		_, ok := own(strings.TrimSuffix(host, ":443"))
		return address, ok
	}
}
