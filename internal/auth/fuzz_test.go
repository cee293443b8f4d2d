package auth

import (
	"net/netip"
	"net/url"
	"testing"
)

func FuzzToLoopback(f *testing.F) {
	for _, seed := range []string{"http://localhost:8400", "http://127.0.0.1/x?y", "http://[::1]:1/", "http://localhost@evil.example", "http://localhost.evil.example", "//localhost", "http://localhost#x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !toLoopback(text) {
			return
		}
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" || u.User != nil {
			t.Fatalf("%q is taken: %v", text, err)
		}
		if ip, err := netip.ParseAddr(u.Hostname()); u.Hostname() != "localhost" && (err != nil || !ip.IsLoopback()) {
			t.Errorf("%q leads to %q", text, u.Hostname())
		}
	})
}

func FuzzUserCode(f *testing.F) {
	for _, seed := range []string{newUserCode(), "bcdf ghjk", "BCDFGHJK", "", "-", "bcdfghjkl"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if code := normalUserCode(text); code != "" && (len(code) != 9 || code[4] != '-' || normalUserCode(code) != code) {
			t.Errorf("%q is read as %q", text, code)
		}
	})
}
