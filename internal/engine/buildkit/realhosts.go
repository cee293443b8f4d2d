package buildkit

import (
	"strings"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client"
	srctypes "github.com/moby/buildkit/source/types"

	"github.com/drydockhq/drydock"
)

// realSuffix is what the hosts of Azure's own registries have behind them within
// BuildKit. It has one way to each host for all builds, which must not be that to
// the registry of the name here; nor are tokens and caches of the two the same.
const realSuffix = ".real.drydock.internal"

// buildHosts returns the registries that builds read, and keep caches in, without
// credentials.
func (e *Executor) buildHosts() docker.RegistryHosts {
	ours := e.config.Registries.anonymousHosts(e.clients)
	if e.config.RealRegistries == nil {
		return ours
	}
	azures := e.config.RealRegistries.anonymousHosts(e.real)
	return func(host string) ([]docker.RegistryHost, error) {
		if real, ok := strings.CutSuffix(host, realSuffix); ok {
			return azures(real)
		}
		return ours(host)
	}
}

// isReal reports whether an image reference is to a registry of Azure's own in this
// run.
func (s *session) isReal(ref string) bool {
	host, _, found := strings.Cut(ref, "/")
	_, _, _, azure := drydock.AzureHost(host)
	return found && azure && s.spec.RealAzure && s.executor.config.RealRegistries != nil
}

// realReference returns a reference to a registry of Azure's own as BuildKit is to
// read it.
func realReference(ref string) string {
	host, rest, _ := strings.Cut(ref, "/")
	return host + realSuffix + "/" + rest
}

// realSource returns the identifier of an image source as BuildKit is to read it in
// a run that reaches the real Azure.
func (s *session) realSource(identifier string) string {
	ref, _ := cutScheme(identifier, srctypes.DockerImageScheme)
	if !s.isReal(ref) {
		return identifier
	}
	return srctypes.DockerImageScheme + "://" + realReference(ref)
}

// plainSource undoes realSource. In other runs there is no such host.
func (s *session) plainSource(identifier string) (string, error) {
	ref, _ := cutScheme(identifier, srctypes.DockerImageScheme)
	plain, real := plainReference(ref)
	if !real {
		return identifier, nil
	}
	if !s.spec.RealAzure {
		return "", drydock.Errorf(drydock.Denied, "source %s: the host is not one of a registry", identifier)
	}
	return srctypes.DockerImageScheme + "://" + plain, nil
}

// plainReference returns an image reference without realSuffix, and whether it had
// it.
func plainReference(ref string) (plain string, real bool) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ref, false
	}
	host, real := strings.CutSuffix(reference.Domain(named), realSuffix)
	if !real {
		return ref, false
	}
	return host + strings.TrimPrefix(named.String(), reference.Domain(named)), true
}

// plainText is a text of BuildKit's for people, by the names that they know.
func plainText(text string) string { return strings.ReplaceAll(text, realSuffix, "") }

// plainStatus hands on what BuildKit says of its progress, in plainText, until in is
// closed.
func plainStatus(in <-chan *client.SolveStatus) chan *client.SolveStatus {
	out := make(chan *client.SolveStatus)
	go func() {
		defer close(out)
		for s := range in {
			for _, v := range s.Vertexes {
				v.Name, v.Error = plainText(v.Name), plainText(v.Error)
			}
			for _, v := range s.Statuses {
				v.ID, v.Name = plainText(v.ID), plainText(v.Name)
			}
			out <- s
		}
	}()
	return out
}
