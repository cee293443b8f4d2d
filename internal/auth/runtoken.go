package auth

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
)

// runTokenMargin is how much longer than its run a run's token could live; it
// ends with the run all the same.
const runTokenMargin = 15 * time.Minute

// runType is the last part of the type of a run's resource id.
const runType = "runs"

// runIdentity is the principal of a run. It is derived from the run, so there
// is nothing to clean up when a run ends or its server dies.
func runIdentity(registry drydock.ResourceID, run string) drydock.Principal {
	owner := registry.Child(runType, run)
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte(owner.Key())).String()
	return drydock.Principal{ID: id, AppID: id, Kind: drydock.RunIdentity, Name: "run " + run, Owner: owner}
}

// RunToken returns a token for the identity of a run, good for its registry's
// data plane for at most lifetime and while this attempt of the run lasts.
func (a *Authority) RunToken(run drydock.RunRecord, lifetime time.Duration) (string, error) {
	p := runIdentity(run.Registry, run.ID)
	c := a.claims(p.ID, a.c.Resources[Registry][0], lifetime+runTokenMargin)
	c.AppID, c.Azp = p.AppID, p.AppID
	c.setRun(run)
	return a.c.Keys.sign(c)
}

// setRun says whose token this is. A registry of the same name gives out the
// same ids once more, so the time is part of it.
func (c *Claims) setRun(run drydock.RunRecord) {
	c.Run, c.RunCreated, c.Attempt = run.Registry.Child(runType, run.ID).String(), run.Created.UnixNano(), run.Attempts
}

func (a *Authority) runPrincipal(ctx context.Context, c Claims) (drydock.Principal, error) {
	id, err := drydock.ParseResourceID(c.Run)
	if err != nil || len(id.Types) != 2 || id.Types[1] != runType {
		return drydock.Principal{}, invalidToken("The access token names no run.")
	}
	run, err := a.c.Runs.Run(ctx, id.Parent(), id.Name())
	if drydock.CodeOf(err) == drydock.NotFound {
		return drydock.Principal{}, invalidToken("The run that the access token is for was deleted.")
	}
	if err != nil {
		return drydock.Principal{}, fmt.Errorf("finding the run of a token: %w", err)
	}
	if run.Attempts != c.Attempt || run.Created.UnixNano() != c.RunCreated || run.Status != drydock.RunStarted && run.Status != drydock.RunRunning {
		return drydock.Principal{}, invalidToken("The run that the access token is for has ended.")
	}
	return runIdentity(run.Registry, run.ID), nil
}
