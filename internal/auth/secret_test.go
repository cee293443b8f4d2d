package auth_test

import (
	"testing"

	"github.com/drydockhq/drydock/internal/auth"
)

func TestHasher(t *testing.T) {
	t.Parallel()
	h := auth.NewHasher()
	secret := auth.NewSecret()
	one, err := h.Hash(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	two, err := h.Hash(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	if one == two {
		t.Error("hashes of one secret are equal")
	}
	for attempt, want := range map[string]bool{secret: true, secret + "x": false, "": false} {
		if ok, err := h.Matches(t.Context(), one, attempt); ok != want || err != nil {
			t.Errorf("%q: %v %v", attempt, ok, err)
		}
	}
	for _, bad := range []string{
		"", "plain", "$2a$10$x", "$argon2id$v=19$m=99999999,t=2,p=1$c2FsdA$aGFzaGhhc2hoYXNoaGFzaA",
		"$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$", "$argon2id$v=19$m=19456,t=0,p=1$c2FsdA$aGFzaGhhc2hoYXNoaGFzaA",
	} {
		if ok, err := h.Matches(t.Context(), bad, ""); ok || err == nil {
			t.Errorf("%q: %v %v", bad, ok, err)
		}
	}
}

func TestSealer(t *testing.T) {
	t.Parallel()
	s, err := auth.NewSealer(auth.NewSealKey())
	if err != nil {
		t.Fatal(err)
	}
	other, err := auth.NewSealer(auth.NewSealKey())
	if err != nil {
		t.Fatal(err)
	}
	sealed := s.Seal([]byte("hush"), "a")
	if plain, err := s.Open(sealed, "a"); string(plain) != "hush" || err != nil {
		t.Errorf("%q %v", plain, err)
	}
	if _, err := s.Open(sealed, "b"); err == nil {
		t.Error("opened for another purpose")
	}
	if _, err := other.Open(sealed, "a"); err == nil {
		t.Error("opened with another key")
	}
	if _, err := s.Open(sealed[:5], "a"); err == nil {
		t.Error("opened a piece")
	}
	if _, err := auth.NewSealer([]byte("short")); err == nil {
		t.Error("a short key is accepted")
	}
}
