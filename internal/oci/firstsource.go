package oci

import (
	"context"
	"io"
	"strings"

	"github.com/drydockhq/drydock"
)

// firstSource is one repository that is kept at several places.
type firstSource struct {
	sources []Source
	away    []bool // which of them could not be reached
}

// FirstSource returns a source that reads each thing from the first of several
// places that has it, such as the mirrors of a registry and the registry itself.
// A place that can't be reached is not asked again.
func FirstSource(sources ...Source) Source {
	if len(sources) == 1 {
		return sources[0]
	}
	return &firstSource{sources: sources, away: make([]bool, len(sources))}
}

// try calls read with each source until that is content. The code of the error
// is that of the last source, which knows best.
func (f *firstSource) try(ctx context.Context, read func(s Source, last bool) error) error {
	var texts []string
	var code drydock.Code
	for i, s := range f.sources {
		if f.away[i] {
			continue
		}
		err := read(s, i == len(f.sources)-1)
		if err == nil || ctx.Err() != nil {
			return err
		}
		code = drydock.CodeOf(err)
		f.away[i] = code == drydock.Unavailable
		texts = append(texts, err.Error())
	}
	if len(texts) == 0 {
		return drydock.Errorf(drydock.Unavailable, "the registry and its mirrors could not be reached")
	}
	return drydock.Errorf(code, "%s", strings.Join(texts, "; "))
}

// Manifest implements Source.
func (f *firstSource) Manifest(ctx context.Context, reference string) (content []byte, mediaType string, err error) {
	err = f.try(ctx, func(s Source, _ bool) (err error) {
		content, mediaType, err = s.Manifest(ctx, reference)
		return err
	})
	return content, mediaType, err
}

// Blob implements Source.
func (f *firstSource) Blob(ctx context.Context, digest string) (blob io.ReadCloser, err error) {
	err = f.try(ctx, func(s Source, _ bool) (err error) {
		blob, err = s.Blob(ctx, digest)
		return err
	})
	return blob, err
}

// Referrers implements Source. Many mirrors know of none: the next place is asked
// then, and where that can't be reached there are none.
func (f *firstSource) Referrers(ctx context.Context, digest string) (found []string, err error) {
	answered := false
	err = f.try(ctx, func(s Source, last bool) (err error) {
		found, err = s.Referrers(ctx, digest)
		answered = answered || err == nil
		if err == nil && len(found) == 0 && !last {
			return drydock.Errorf(drydock.NotFound, "nothing refers to %s", digest)
		}
		return err
	})
	if answered && ctx.Err() == nil {
		return found, nil
	}
	return nil, err
}
