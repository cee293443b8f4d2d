package oci_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/drydockhq/drydock/test/registry"
)

const (
	benchLayers    = 4
	benchLayerSize = 50 << 20
)

// contender is a registry in a benchmark.
type contender struct {
	host    string
	options []remote.Option
	spent   time.Duration
}

// contenders returns our registry and distribution's own, over plain HTTP.
func contenders(b *testing.B) (ours, stock *contender) {
	b.Helper()
	f := start(b)
	plain := httptest.NewServer(f.server)
	b.Cleanup(plain.Close)
	// Each has connections of its own, and no time is lost with retries.
	transport := func() remote.Option {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.DisableCompression = true
		b.Cleanup(t.CloseIdleConnections)
		return remote.WithTransport(t)
	}
	ours = &contender{
		host:    plain.Listener.Addr().String(),
		options: []remote.Option{transport(), remote.WithAuth(&authn.Basic{Username: "owner", Password: "o"})},
	}
	return ours, &contender{host: registry.Start(b, registry.Options{}).Host, options: []remote.Option{transport()}}
}

// newImage returns an image of 200 MB that nobody has.
func newImage(b *testing.B) v1.Image {
	b.Helper()
	image := v1.Image(empty.Image)
	for range benchLayers {
		content := make([]byte, benchLayerSize)
		rand.Read(content)
		var err error
		if image, err = mutate.AppendLayers(image, static.NewLayer(content, types.OCIUncompressedLayer)); err != nil {
			b.Fatal(err)
		}
	}
	return image
}

func (c *contender) push(b *testing.B, tag string, image v1.Image) {
	b.Helper()
	began := time.Now()
	if err := remote.Write(parse(b, c.host+"/app:"+tag), image, c.options...); err != nil {
		b.Fatal(err)
	}
	c.spent += time.Since(began)
}

func (c *contender) pull(b *testing.B, tag string) {
	b.Helper()
	began := time.Now()
	image, err := remote.Image(parse(b, c.host+"/app:"+tag), c.options...)
	if err != nil {
		b.Fatal(err)
	}
	layers, err := image.Layers()
	if err != nil {
		b.Fatal(err)
	}
	for _, layer := range layers {
		body, err := layer.Compressed()
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, body); err != nil || n != benchLayerSize {
			b.Fatalf("%d bytes, %v", n, err)
		}
		body.Close()
	}
	c.spent += time.Since(began)
}

// report says how fast both were; a ratio above 1 means that ours is faster.
func report(b *testing.B, ours, stock *contender) {
	b.Helper()
	bytes := float64(b.N) * benchLayers * benchLayerSize
	b.ReportMetric(bytes/ours.spent.Seconds()/1e6, "MB/s")
	b.ReportMetric(bytes/stock.spent.Seconds()/1e6, "stock-MB/s")
	b.ReportMetric(stock.spent.Seconds()/ours.spent.Seconds(), "ratio")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkPush pushes an image of 200 MB to our registry and to distribution's
// own, in turns.
func BenchmarkPush(b *testing.B) {
	ours, stock := contenders(b)
	for i := range b.N {
		image := newImage(b)
		turns := []*contender{ours, stock}
		for turn := range turns {
			turns[(turn+i)%2].push(b, fmt.Sprint("v", i), image)
		}
	}
	report(b, ours, stock)
}

// BenchmarkPull pulls an image of 200 MB from both, in turns.
func BenchmarkPull(b *testing.B) {
	ours, stock := contenders(b)
	image := newImage(b)
	for _, c := range []*contender{ours, stock} {
		c.push(b, "v1", image)
		c.pull(b, "v1")
		c.spent = 0
	}
	for i := range b.N {
		turns := []*contender{ours, stock}
		for turn := range turns {
			turns[(turn+i)%2].pull(b, "v1")
		}
	}
	report(b, ours, stock)
}
