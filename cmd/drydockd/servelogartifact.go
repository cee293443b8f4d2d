package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/blobs"
	"github.com/drydockhq/drydock/internal/runner"
)

// The media types of a log that is kept in a registry.
const (
	logConfigType types.MediaType = "application/vnd.drydock.run.log.v1+json"
	logLayerType  types.MediaType = "text/plain"
)

// logArtifacts keeps logs in the server's own registries.
type logArtifacts struct{ *daemon }

var _ runner.LogArtifacts = logArtifacts{}

// PushLog implements runner.LogArtifacts.
func (l logArtifacts) PushLog(ctx context.Context, r drydock.RunRecord, c drydock.Credential, repository, tag string, ending []byte) (string, error) {
	log, err := l.blobs.openLog(ctx, r.Registry, r.ID)
	if err != nil {
		return "", err
	}
	defer log.Close()
	layer, err := newLogLayer(log, ending)
	if err != nil {
		return "", err
	}
	image, err := mutate.Append(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), logConfigType), mutate.Addendum{
		Layer: layer, MediaType: logLayerType, Annotations: map[string]string{"org.opencontainers.image.title": r.ID + ".log"},
	})
	if err != nil {
		return "", fmt.Errorf("making the artifact: %w", err)
	}
	registry, err := name.NewRegistry(c.Registry)
	if err != nil {
		return "", drydock.Errorf(drydock.Invalid, "%w", err)
	}
	// Repo takes names of one letter too. Where the tag is no good, the registry says so.
	ref := registry.Repo(repository).Tag(tag)
	transport := l.ownTransport()
	defer transport.CloseIdleConnections()
	err = remote.Write(ref, image, remote.WithContext(ctx), remote.WithTransport(transport),
		remote.WithAuth(&authn.Basic{Username: c.Username, Password: c.Password}))
	if err != nil {
		return "", fmt.Errorf("pushing the artifact: %w", err)
	}
	digest, err := image.Digest()
	return digest.String(), err
}

// ownTransport reaches the server's own registries.
func (d *daemon) ownTransport() *http.Transport {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(d.ownPEM)
	return &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if own, ok := d.local(d.listener.Addr())(address); ok {
				address = own
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
}

// logLayer is a log, as far as it was written when it was opened, and its ending,
// as a layer.
type logLayer struct {
	log    blobs.Blob
	ending []byte
	digest v1.Hash
	size   int64 // of the log without ending
}

func newLogLayer(log blobs.Blob, ending []byte) (*logLayer, error) {
	l := &logLayer{log: log, ending: ending, size: log.Properties().Size}
	var err error
	if l.digest, _, err = v1.SHA256(l.reader()); err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	return l, nil
}

func (l *logLayer) reader() io.Reader {
	return io.MultiReader(io.NewSectionReader(l.log, 0, l.size), bytes.NewReader(l.ending))
}

// Digest implements v1.Layer.
func (l *logLayer) Digest() (v1.Hash, error) { return l.digest, nil }

// DiffID implements v1.Layer.
func (l *logLayer) DiffID() (v1.Hash, error) { return l.digest, nil }

// Compressed implements v1.Layer: it is stored as it is.
func (l *logLayer) Compressed() (io.ReadCloser, error) { return io.NopCloser(l.reader()), nil }

// Uncompressed implements v1.Layer.
func (l *logLayer) Uncompressed() (io.ReadCloser, error) { return io.NopCloser(l.reader()), nil }

// Size implements v1.Layer.
func (l *logLayer) Size() (int64, error) { return l.size + int64(len(l.ending)), nil }

// MediaType implements v1.Layer.
func (l *logLayer) MediaType() (types.MediaType, error) { return logLayerType, nil }
