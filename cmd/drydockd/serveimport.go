package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"

	"github.com/drydockhq/drydock/internal/arm"
	"github.com/drydockhq/drydock/internal/oci"
)

// importer copies images between registries.
type importer struct{ *daemon }

var _ arm.Importer = importer{}

// defaultTag is the tag of an image that is named without one.
const defaultTag = "latest"

// Import implements arm.Importer.
func (m importer) Import(ctx context.Context, i arm.Import) error {
	target, err := registryDirectory(m).Registry(ctx, i.Target.Name())
	if err != nil {
		return err
	}
	repository, reference := oci.SplitImage(i.Image)
	reference = cmp.Or(reference, defaultTag)
	source, err := m.source(ctx, i, repository)
	if err != nil {
		return err
	}
	imp := oci.Import{Source: source, Reference: reference, Force: i.Force, Actor: i.Actor}
	for _, image := range i.Tags {
		name, tag := oci.SplitImage(image)
		imp.Targets = append(imp.Targets, oci.ImportTarget{Repository: name, Tag: cmp.Or(tag, defaultTag)})
	}
	for _, name := range i.Untagged {
		imp.Targets = append(imp.Targets, oci.ImportTarget{Repository: name})
	}
	if len(imp.Targets) == 0 {
		imp.Targets = []oci.ImportTarget{{Repository: repository, Tag: reference}}
		if strings.Contains(reference, ":") { // a digest
			imp.Targets[0].Tag = ""
		}
	}
	return m.oci.Import(ctx, target, imp)
}

// source returns the repository that an import reads. That whoever asked may read
// it, if it is one of ours, was checked.
func (m importer) source(ctx context.Context, i arm.Import, repository string) (oci.Source, error) {
	if i.Source.Name() != "" && i.SourceHost == "" {
		reg, err := registryDirectory(m).Registry(ctx, i.Source.Name())
		if err != nil {
			return nil, err
		}
		return m.oci.LocalSource(reg, repository)
	}
	return m.remoteSource(i, repository), nil
}

// The names of Docker Hub. Images without a user's name are the library's.
const (
	hubHost    = "docker.io"
	hubOldHost = "index.docker.io"
	hubLibrary = "library/"
)

// remoteSource returns a repository of another registry: that of its mirrors, and
// its own.
func (m importer) remoteSource(i arm.Import, repository string) oci.Source {
	host := i.SourceHost
	if host == hubOldHost {
		host = hubHost
	}
	if host == hubHost && !strings.Contains(repository, "/") {
		repository = hubLibrary + repository
	}
	mirrors, own := m.places(host, repository)
	var sources []oci.Source
	for _, mirror := range mirrors {
		sources = append(sources, mirror)
	}
	own.Username, own.Password = i.Username, i.Password
	return oci.FirstSource(append(sources, own)...)
}

// places returns where a repository of another registry is read: at the mirrors
// of that, in their order, and in it itself, which alone is signed in to.
func (d *daemon) places(host, repository string) (mirrors []oci.RemoteSource, own oci.RemoteSource) {
	for _, mirror := range d.config.Mirrors[host] {
		mirrors = append(mirrors, oci.RemoteSource{
			Repository: path.Join(mirror.Host, mirror.Path, repository),
			Insecure:   mirror.Scheme == "http" || d.isInsecure(mirror.Host), Transport: d.transport(mirror.Host),
		})
	}
	return mirrors, oci.RemoteSource{Repository: host + "/" + repository, Insecure: d.isInsecure(host), Transport: d.transport(host)}
}

// answerWithin is how long another registry may take to begin an answer: an import
// from one that never does has to end.
const answerWithin = 2 * time.Minute

// transport reaches another registry as the configuration says.
func (d *daemon) transport(host string) http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout, t.DialContext = answerWithin, d.dialRegistry
	_, own := d.ownRegistry(host) // another import names one of ours by its host
	return d.configured(t, host, own)
}

// realTransport is transport for what looks at images that were noted: those of
// this server's registries have been noted by its own names, so that the names of
// Azure's clouds are of Azure's registries.
func (d *daemon) realTransport(host string) http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout, t.DialContext = answerWithin, d.dialReal
	_, own := d.names.registryName(host)
	return d.configured(t, host, own)
}

// configured sets the proxies and certificates for a host, which may be one of the
// server's own.
func (d *daemon) configured(t *http.Transport, host string, own bool) http.RoundTripper {
	if own {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(d.ownPEM)
		t.Proxy, t.TLSClientConfig = nil, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
		return t
	}
	proxies := httpproxy.Config{NoProxy: d.config.Proxy.Except}
	if u := d.config.Proxy.HTTP; u != nil {
		proxies.HTTPProxy = u.String()
	}
	if u := d.config.Proxy.HTTPS; u != nil {
		proxies.HTTPSProxy = u.String()
	}
	if proxies.HTTPProxy != "" || proxies.HTTPSProxy != "" {
		find := proxies.ProxyFunc()
		t.Proxy = func(r *http.Request) (*url.URL, error) { return find(r.URL) }
	}
	if slices.Contains(d.config.Insecure, host) {
		t.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // the operator said so
		return t
	}
	if d.config.CAs[host] != nil || d.config.CAs[""] != nil {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		pool.AppendCertsFromPEM(d.config.CAs[""])
		pool.AppendCertsFromPEM(d.config.CAs[host])
		t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return t
}
