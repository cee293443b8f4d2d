package auth_test

import (
	"context"
	"testing"

	"github.com/drydockhq/drydock/internal/auth"
)

// A secret that has matched is not stretched again, which a context that has
// ended would not allow; neither a wrong one nor another hash profits from it.
func TestKnownSecrets(t *testing.T) {
	t.Parallel()
	h := auth.NewHasher()
	secret := auth.NewSecret()
	hash, err := h.Hash(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := h.Matches(t.Context(), hash, secret+"x"); ok || err != nil {
		t.Fatal(ok, err)
	}
	if ok, err := h.Matches(t.Context(), hash, secret); !ok || err != nil {
		t.Fatal(ok, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	// Of two ways that are open a select takes either, so each is tried often.
	for range 20 {
		if ok, err := h.Matches(ended, hash, secret); !ok || err != nil {
			t.Fatal("a secret that is known: ", ok, err)
		}
	}
	for range 20 {
		if ok, err := h.Matches(ended, hash, secret+"x"); ok {
			t.Fatal("a wrong secret: ", ok, err)
		}
	}
	changed, err := h.Hash(t.Context(), secret+"x")
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := h.Matches(t.Context(), changed, secret); ok || err != nil {
		t.Error("the hash of another secret: ", ok, err)
	}
}
