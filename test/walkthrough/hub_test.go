package walkthrough

import (
	"net/http"
	"testing"

	"github.com/drydockhq/drydock/test/registry"
)

func TestOnlyTheAccountPulls(t *testing.T) {
	t.Parallel()
	nobody := registry.Request{Method: http.MethodGet, Kind: registry.KindToken, Status: http.StatusOK}
	refused := registry.Request{Method: http.MethodHead, Kind: registry.KindManifest, Status: http.StatusTooManyRequests}
	form := registry.Request{Method: http.MethodPost, Kind: registry.KindToken, Status: http.StatusOK}
	basic := registry.Request{Method: http.MethodGet, Kind: registry.KindToken, User: "ann", Status: http.StatusOK}
	guess := registry.Request{Method: http.MethodGet, Kind: registry.KindToken, User: "ann", Status: http.StatusUnauthorized}
	pull := registry.Request{Method: http.MethodGet, Kind: registry.KindManifest, Status: http.StatusOK}
	for name, c := range map[string]struct {
		requests []registry.Request
		good     bool
	}{
		"as it should be":   {[]registry.Request{nobody, refused, refused, form, pull, basic, pull}, true},
		"nothing":           {nil, false},
		"nobody alone":      {[]registry.Request{nobody, refused}, false},
		"no credentials":    {[]registry.Request{nobody, pull}, false},
		"nobody once more":  {[]registry.Request{form, pull, nobody}, false},
		"refused once more": {[]registry.Request{form, pull, refused}, false},
		"a wrong password":  {[]registry.Request{guess, form, pull}, false},
	} {
		if err := (&Hub{}).wantOnlyAccount(c.requests); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}
