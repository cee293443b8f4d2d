package oci_test

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/oci"
)

// place is a source that has few things, or can't be reached.
type place struct {
	name      string
	has       map[string]string
	referrers []string
	away      bool
	asked     int
}

func (p *place) get(what string) (string, error) {
	p.asked++
	if p.away {
		return "", drydock.Errorf(drydock.Unavailable, "%s is away", p.name)
	}
	text, ok := p.has[what]
	if !ok {
		return "", drydock.Errorf(drydock.NotFound, "%s has no %s", p.name, what)
	}
	return text, nil
}

func (p *place) Manifest(_ context.Context, reference string) ([]byte, string, error) {
	text, err := p.get(reference)
	return []byte(text), "type", err
}

func (p *place) Blob(_ context.Context, digest string) (io.ReadCloser, error) {
	text, err := p.get(digest)
	return io.NopCloser(strings.NewReader(text)), err
}

func (p *place) Referrers(context.Context, string) ([]string, error) {
	if p.away {
		_, err := p.get("")
		return nil, err
	}
	return p.referrers, nil
}

func TestFirstSource(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	gone := &place{name: "gone", away: true}
	mirror := &place{name: "mirror", has: map[string]string{"v1": "of the mirror"}}
	origin := &place{name: "origin", has: map[string]string{"v1": "of the origin", "v2": "only there"}, referrers: []string{"signature"}}
	s := oci.FirstSource(gone, mirror, origin)
	for reference, want := range map[string]string{"v1": "of the mirror", "v2": "only there"} {
		if got, _, err := s.Manifest(ctx, reference); err != nil || string(got) != want {
			t.Errorf("%s is %q: %v", reference, got, err)
		}
		blob, err := s.Blob(ctx, reference)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(blob); err != nil || string(got) != want {
			t.Errorf("the blob %s is %q: %v", reference, got, err)
		}
	}
	if got, err := s.Referrers(ctx, "v1"); err != nil || !slices.Equal(got, origin.referrers) {
		t.Errorf("referrers %v: %v", got, err)
	}
	if gone.asked != 1 {
		t.Errorf("what is away was asked %d times", gone.asked)
	}
	_, _, err := s.Manifest(ctx, "v3")
	if drydock.CodeOf(err) != drydock.NotFound || err.Error() != "mirror has no v3; origin has no v3" {
		t.Errorf("what nobody has: %v", err)
	}
	// A mirror alone is enough for what it has.
	origin.away = true
	if got, err := s.Referrers(ctx, "v1"); err != nil || len(got) != 0 {
		t.Errorf("referrers without the origin: %v: %v", got, err)
	}
	if _, _, err := s.Manifest(ctx, "v2"); drydock.CodeOf(err) != drydock.Unavailable && drydock.CodeOf(err) != drydock.NotFound {
		t.Errorf("what only the origin has: %v", err)
	}
	if got, _, err := s.Manifest(ctx, "v1"); err != nil || string(got) != "of the mirror" {
		t.Errorf("without the origin: %q: %v", got, err)
	}
}
