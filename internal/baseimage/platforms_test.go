package baseimage_test

import (
	"slices"
	"testing"

	"github.com/drydockhq/drydock"
)

// pushIndex pushes an index by the digest of a word.
func (s *site) pushIndex(name, word, content string) {
	s.t.Helper()
	s.must(s.store.PutManifest(s.t.Context(), drydock.Manifest{
		Registry: registryID("own"), Repository: image(name).Repository, Digest: digest(word), MediaType: "application/x", Content: []byte(content),
	}, []string{"1"}, drydock.Actor{ID: "somebody"}))
}

func TestChangedPlatforms(t *testing.T) {
	t.Parallel()
	const (
		amd1 = `{"digest":"1","platform":{"os":"linux","architecture":"amd64"}}`
		amd2 = `{"digest":"2","platform":{"os":"linux","architecture":"amd64"}}`
		arm1 = `{"digest":"3","platform":{"os":"linux","architecture":"arm","variant":"v7"}}`
		note = `{"digest":"4","platform":{"os":"unknown","architecture":"unknown"}}`
		bare = `{"digest":"5"}`
	)
	for name, c := range map[string]struct {
		before, after string
		want          []string
	}{
		"one of two":     {`{"manifests":[` + amd1 + `,` + arm1 + `]}`, `{"manifests":[` + amd2 + `,` + arm1 + `,` + note + `]}`, []string{"linux/amd64"}},
		"a new one":      {`{"manifests":[` + amd1 + `]}`, `{"manifests":[` + amd1 + `,` + arm1 + `]}`, []string{"linux/arm/v7"}},
		"one less":       {`{"manifests":[` + amd1 + `,` + arm1 + `]}`, `{"manifests":[` + amd1 + `]}`, []string{"linux/arm/v7"}},
		"only a note":    {`{"manifests":[` + amd1 + `]}`, `{"manifests":[` + amd1 + `,` + note + `,` + bare + `]}`, nil},
		"no index":       {`{"config":{}}`, `{"manifests":[` + amd1 + `]}`, nil},
		"no index now":   {`{"manifests":[` + amd1 + `]}`, `{"config":{}}`, nil},
		"not even JSON":  {`x`, `y`, nil},
		"nothing before": {``, `{"manifests":[` + amd1 + `]}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.pushIndex("base", "a", c.before)
			s.app("app")
			s.pushIndex("base", "b", c.after)
			s.settle()
			if got := s.causeOf(s.last("app")).Image[0].Platforms; !slices.Equal(got, c.want) {
				t.Errorf("changed are %v, want %v", got, c.want)
			}
		})
	}
}
