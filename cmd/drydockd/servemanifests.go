package main

import (
	"context"
	"net/http"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/baseimage"
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
	places, own := m.places(image.Registry, image.Repository)
	for _, c := range creds {
		own.Username, own.Password = c.Username, c.Password
		places = append(places, own)
	}
	var content []byte
	for _, place := range places {
		if content, _, err = place.Manifest(ctx, digest); err == nil {
			break
		}
	}
	for _, place := range places {
		if t, ok := place.Transport.(*http.Transport); ok {
			t.CloseIdleConnections()
		}
	}
	return content, err
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
			if drydock.RegistryHost(c.Registry) != image.Registry {
				continue
			}
			// One that can't be used now is one less to try.
			if opened, err := m.keyring.Open(ctx, task, c); err == nil {
				creds = append(creds, drydock.Credential{Username: opened.Username, Password: opened.Password})
			}
		}
	}
	return append(creds, drydock.Credential{}), nil
}
