package main

import (
	"github.com/google/uuid"

	"github.com/drydockhq/drydock/internal/auth"
)

// scopedTokens are the tokens of registries.
func (d *daemon) scopedTokens() *auth.ScopedTokens {
	return &auth.ScopedTokens{
		Resources: d.store, Sealer: d.sealer, Hasher: d.directory.Hasher, Now: d.now, NewID: uuid.NewString,
	}
}
