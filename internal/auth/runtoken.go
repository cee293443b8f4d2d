package auth

import (
	"time"

	"github.com/drydockhq/drydock"
)

// runTokenMargin is how much longer than its run a run's token could live; it
// ends with the run all the same.
const runTokenMargin = 15 * time.Minute

// runType is the last part of the type of a run's resource id.
const runType = "runs"

// RunToken returns a token for the identity of a run, good for its registry's
// data plane for at most lifetime and while this attempt of the run lasts.
func (a *Authority) RunToken(run drydock.RunRecord, lifetime time.Duration) (string, error) {
	p, key := runIdentity(run.Registry, run.ID), run.Key()
	p.Run = &key
	text, _, err := a.IdentityToken(p, a.c.Resources[Registry][0], lifetime+runTokenMargin, false)
	return text, err
}
