package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/serve"
)

// page is a container group that serves a page, which each round replaces.
type page struct {
	s       *server
	groups  *serve.Instances
	base    v1.Image
	address string
}

// newPage measures how soon people see the page of a new image: from the end of its
// push to the first answer with it, the creation of the container group, as the
// last step of a task has it, between the two.
func (l *lab) newPage(ctx context.Context, s *server) (comparison, error) {
	p := &page{s: s}
	base, err := images.Get(ctx, images.Web)
	if err != nil {
		return comparison{}, err
	}
	p.base = base
	err = l.with(ctx, func(t serve.TB) { p.groups = s.On(t).Azure().Instances() })
	if err == nil {
		_, err = p.replace(ctx, 0)
	}
	return comparison{title: "a container group with a new image", noRatio: true, contenders: []contender{{
		rows: []row{{name: "end of the push to the first answer of the new page"}},
		do: func(ctx context.Context, round int) ([]float64, error) {
			took, err := p.replace(ctx, round+1)
			return []float64{took}, err
		},
	}}}, err
}

// replace pushes another image, makes the group of it and asks for the page until it
// is the new one. It returns how long that took after the push, in milliseconds.
func (p *page) replace(ctx context.Context, number int) (float64, error) {
	text := fmt.Sprintf("page %d.", number)
	image := fmt.Sprintf("%s/page:v%d", p.s.login, number)
	if err := p.push(ctx, image, text); err != nil {
		return 0, fmt.Errorf("pushing %s: %w", image, err)
	}
	begun := time.Now()
	definition := p.groups.Definition(image)
	made := make(chan error, 1)
	go func() {
		g, err := p.groups.Create("page", definition)
		if err == nil && number == 0 {
			p.address = *g.Properties.IPAddress.IP
		}
		made <- err
	}()
	if number == 0 {
		return 0, <-made
	}
	took, err := p.await(ctx, text, begun)
	return took, errors.Join(err, <-made)
}

// await asks for the page until it has a text.
func (p *page) await(ctx context.Context, text string, begun time.Time) (float64, error) {
	const patience = time.Minute
	for time.Since(begun) < patience && ctx.Err() == nil {
		if got, err := serve.Page(ctx, p.address); err == nil && strings.Contains(got, text) {
			return milliseconds(time.Since(begun)), nil
		}
	}
	return 0, fmt.Errorf("%s: the new page is not there after %s", p.address, time.Since(begun).Round(time.Second))
}

// push pushes an image that serves a page with a text.
func (p *page) push(ctx context.Context, image, text string) error {
	config, err := p.base.ConfigFile()
	if err != nil {
		return err
	}
	changed := config.Config
	changed.Entrypoint = []string{"/bin/sh", "-c", "echo '" + text + "' > /www/index.html; exec /usr/local/bin/web"}
	changed.Cmd = nil
	img, err := mutate.Config(p.base, changed)
	if err != nil {
		return err
	}
	ref, err := name.ParseReference(image)
	if err != nil {
		return err
	}
	return remote.Write(ref, img, remote.WithContext(ctx), remote.WithTransport(p.s.Transport()), remote.WithAuth(&authn.Basic{Username: p.s.ClientID, Password: p.s.Secret}))
}
