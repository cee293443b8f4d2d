package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/baseimage"
	"github.com/drydockhq/drydock/internal/oci"
)

// manifestReader reads manifests of the server's registries, and of others as
// those who are built from their images.
type manifestReader struct{ *daemon }

var _ baseimage.Manifests = manifestReader{}

// Manifest implements baseimage.Manifests.
func (m manifestReader) Manifest(ctx context.Context, image drydock.ImageName, digest string) ([]byte, error) {
	registry, ours, err := registryHostNames(m).Registry(ctx, image.Registry)
	if err != nil {
		return nil, err
	}
	if ours {
		found, err := m.store.Manifest(ctx, drydock.ArtifactRef{Registry: registry, Repository: image.Repository, Reference: digest})
		return found.Content, err
	}
	creds, err := m.credentials(ctx, image)
	if err != nil {
		return nil, err
	}
	for _, place := range m.places(image) {
		for _, c := range creds {
			place.Username, place.Password = c.Username, c.Password
			var content []byte
			if content, _, err = place.Manifest(ctx, digest); err == nil {
				return content, nil
			}
		}
		if t, ok := place.Transport.(*http.Transport); ok {
			t.CloseIdleConnections()
		}
	}
	return nil, err
}

// places returns where an image of another registry may be read, in order.
func (m manifestReader) places(image drydock.ImageName) []oci.RemoteSource {
	var all []oci.RemoteSource
	for _, mirror := range m.config.Mirrors[image.Registry] {
		all = append(all, oci.RemoteSource{
			Repository: mirror.Host + strings.TrimSuffix(mirror.Path, "/") + "/" + image.Repository,
			Insecure:   mirror.Scheme == "http", Transport: m.transport(mirror.Host),
		})
	}
	return append(all, oci.RemoteSource{
		Repository: image.Registry + "/" + image.Repository,
		Insecure:   m.plainHTTP(image.Registry), Transport: m.transport(image.Registry),
	})
}

// readAs is how many of the tasks that are built from an image are tried.
const readAs = 3

// credentials returns what an image of another registry is read with; the last
// is none.
func (m manifestReader) credentials(ctx context.Context, image drydock.ImageName) ([]drydock.Credential, error) {
	tasks, err := m.store.ImageWatchers(ctx, image)
	if err != nil {
		return nil, err
	}
	var creds []drydock.Credential
	for _, task := range tasks[:min(readAs, len(tasks))] {
		found, err := m.arm.TaskCredentials(ctx, task)
		if err != nil && drydock.CodeOf(err) != drydock.NotFound {
			return nil, err
		}
		for _, c := range found {
			if drydock.RegistryHost(c.Registry) == image.Registry && c.Identity == "" && !c.Username.Vault && !c.Password.Vault {
				creds = append(creds, drydock.Credential{Username: c.Username.Value, Password: c.Password.Value})
			}
		}
	}
	return append(creds, drydock.Credential{}), nil
}
