package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// layers is how many layers the images have that are pushed and pulled.
const layers = 4

// place is a registry that images are pushed to. All of them are asked in plain
// HTTP on loopback.
type place struct {
	name    string
	goal    float64
	host    string
	address string // where the host is, if no resolver knows
	auth    authn.Authenticator
}

// places are a stock registry in a process of its own, and the server's.
func (l *lab) places(stock string, s *server) []place {
	return []place{
		{name: "distribution", host: stock, address: stock, auth: authn.Anonymous},
		{name: "drydockd", goal: 1 / 0.95, host: s.login, address: s.Addr, auth: &authn.Basic{Username: s.ClientID, Password: s.Secret}},
	}
}

// options are those of a client with a connection of its own.
func (p place) options(ctx context.Context) ([]remote.Option, func()) {
	t := transportTo(p.address)
	return []remote.Option{remote.WithContext(ctx), remote.WithAuth(p.auth), remote.WithTransport(t)}, t.CloseIdleConnections
}

func (p place) reference(repository, tag string) (name.Reference, error) {
	return name.ParseReference(fmt.Sprintf("%s/%s:%s", p.host, repository, tag), name.Insecure)
}

// push returns how long the push of an image takes.
func (p place) push(ctx context.Context, tag string, image v1.Image) (float64, error) {
	ref, err := p.reference("app", tag)
	if err != nil {
		return 0, err
	}
	options, done := p.options(ctx)
	defer done()
	begun := time.Now()
	err = remote.Write(ref, image, options...)
	return milliseconds(time.Since(begun)), err
}

// pull returns how long the pull of an image takes.
func (p place) pull(ctx context.Context, tag string) (float64, error) {
	ref, err := p.reference("app", tag)
	if err != nil {
		return 0, err
	}
	options, done := p.options(ctx)
	defer done()
	begun := time.Now()
	image, err := remote.Image(ref, options...)
	if err != nil {
		return 0, err
	}
	all, err := image.Layers()
	if err != nil {
		return 0, err
	}
	for _, layer := range all {
		if err := read(layer); err != nil {
			return 0, err
		}
	}
	return milliseconds(time.Since(begun)), nil
}

func read(layer v1.Layer) error {
	body, err := layer.Compressed()
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(io.Discard, body)
	return err
}

// pushes compares the push of an image that is new to the registry.
func (l *lab) pushes(places []place, size int) comparison {
	c := comparison{title: fmt.Sprintf("push of an image of %d MB", layers*size/1e6)}
	var image v1.Image
	made := -1
	for _, p := range places {
		c.contenders = append(c.contenders, contender{
			rows: []row{{name: p.name, goal: p.goal}},
			do: func(ctx context.Context, round int) (_ []float64, err error) {
				if made != round {
					if image, err = newImage(size); err != nil {
						return nil, err
					}
					made = round
				}
				took, err := p.push(ctx, fmt.Sprint("v", round), image)
				return []float64{took}, err
			},
		})
	}
	return c
}

// pulls compares the pull of an image.
func (l *lab) pulls(ctx context.Context, places []place, size int) (comparison, error) {
	c := comparison{title: fmt.Sprintf("pull of an image of %d MB", layers*size/1e6)}
	image, err := newImage(size)
	if err != nil {
		return c, err
	}
	for _, p := range places {
		if _, err := p.push(ctx, "pulled", image); err != nil {
			return c, err
		}
		c.contenders = append(c.contenders, contender{
			rows: []row{{name: p.name, goal: p.goal}},
			do: func(ctx context.Context, _ int) ([]float64, error) {
				took, err := p.pull(ctx, "pulled")
				return []float64{took}, err
			},
		})
	}
	return c, nil
}

// newImage returns an image that no registry has, with layers of size bytes
// that can't be compressed.
func newImage(size int) (v1.Image, error) {
	image := v1.Image(empty.Image)
	for range layers {
		content := make([]byte, size)
		_, _ = rand.Read(content) // it never fails
		var err error
		if image, err = mutate.AppendLayers(image, static.NewLayer(content, types.OCIUncompressedLayer)); err != nil {
			return nil, err
		}
	}
	return image, nil
}

// transportTo connects to an address, whatever the host.
func transportTo(address string) *http.Transport {
	t, _ := http.DefaultTransport.(*http.Transport)
	t = t.Clone()
	t.DisableCompression = true
	var dialer net.Dialer
	t.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, address)
	}
	return t
}
