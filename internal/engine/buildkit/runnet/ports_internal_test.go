package runnet

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
)

func TestParsePorts(t *testing.T) {
	t.Parallel()
	local, six := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")
	for value, want := range map[string][]portSpec{
		"80":                   {{container: 80, proto: "tcp"}},
		"8080:80":              {{low: 8080, high: 8080, container: 80, proto: "tcp"}},
		"53:53/udp":            {{low: 53, high: 53, container: 53, proto: "udp"}},
		"53:53/UDP":            {{low: 53, high: 53, container: 53, proto: "udp"}},
		"127.0.0.1:8080:80":    {{addr: local, low: 8080, high: 8080, container: 80, proto: "tcp"}},
		"127.0.0.1::80":        {{addr: local, container: 80, proto: "tcp"}},
		"[::1]:8080:80/tcp":    {{addr: six, low: 8080, high: 8080, container: 80, proto: "tcp"}},
		"::1:8080:80":          {{addr: six, low: 8080, high: 8080, container: 80, proto: "tcp"}},
		"8000-8001:80-81":      {{low: 8000, high: 8000, container: 80, proto: "tcp"}, {low: 8001, high: 8001, container: 81, proto: "tcp"}},
		"8000-8010:80":         {{low: 8000, high: 8010, container: 80, proto: "tcp"}},
		"80-81":                {{container: 80, proto: "tcp"}, {container: 81, proto: "tcp"}},
		"65535":                {{container: 65535, proto: "tcp"}},
		"65534-65535:80-81":    {{low: 65534, high: 65534, container: 80, proto: "tcp"}, {low: 65535, high: 65535, container: 81, proto: "tcp"}},
		"":                     nil,
		"0":                    nil,
		"65536":                nil,
		"-1":                   nil,
		"http":                 nil,
		"80/":                  nil,
		"80/sctp":              nil,
		"81-80":                nil,
		"8000-8002:80-81":      nil,
		"x:80:80":              nil,
		"127.0.0.1:http:80":    nil,
		"[::1:80:80":           nil,
		"fe80::1%eth0:80:80":   nil,
		"1-65535":              nil,
		"localhost:8080:80/ud": nil,
	} {
		got, err := parsePorts([]string{value})
		var de *drydock.Error
		switch {
		case !slices.Equal(got, want):
			t.Errorf("%q is %+v, want %+v", value, got, want)
		case want == nil && (!errors.As(err, &de) || de.Code != drydock.Invalid):
			t.Errorf("%q has error %v, want one for invalid input", value, err)
		}
	}
}

func FuzzParsePorts(f *testing.F) {
	for _, s := range []string{"80", "8080:80/udp", "[::1]:1-9:1-9", "127.0.0.1::80", ":::", "65535-65535:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		specs, err := parsePorts([]string{value})
		if err == nil && len(specs) == 0 {
			t.Fatalf("%q is nothing, without an error", value)
		}
		for _, s := range specs {
			if s.container == 0 || s.low > s.high || s.low == 0 && s.high != 0 || s.proto != "tcp" && s.proto != "udp" {
				t.Errorf("%q is %+v", value, s)
			}
			if s.addr.IsValid() && !strings.Contains(value, ":") {
				t.Errorf("%q has address %s", value, s.addr)
			}
		}
	})
}
