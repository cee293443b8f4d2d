package compat_test

import (
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/drydockhq/drydock/test/images"
)

// remoteOptions are those of a client that is the server's admin.
func (a *sdk) remoteOptions(t *testing.T) []remote.Option {
	return []remote.Option{
		remote.WithAuth(&authn.Basic{Username: a.Server.ClientID, Password: a.Server.Secret}),
		remote.WithTransport(a.Server.Transport()), remote.WithContext(t.Context()),
	}
}

// push pushes a small image and returns its digest.
func (a *sdk) push(t *testing.T, reference string) string {
	t.Helper()
	img := must(images.Get(t.Context(), images.HelloWorld))(t)
	if err := remote.Write(must(name.ParseReference(reference))(t), img, a.remoteOptions(t)...); err != nil {
		t.Fatal(err)
	}
	return must(img.Digest())(t).String()
}

// digest returns the digest of an image in a registry of the server.
func (a *sdk) digest(t *testing.T, reference string) string {
	t.Helper()
	return must(remote.Head(must(name.ParseReference(reference))(t), a.remoteOptions(t)...))(t).Digest.String()
}
