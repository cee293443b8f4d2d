package auth

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
)

// IdentityToken returns a token for a managed identity that a run acts as, whose
// Run is set, and when it ends. It is good for at most lifetime and while this
// attempt of the run lasts. A confined one is good only in requests that come out
// of the run; see WithRun.
func (a *Authority) IdentityToken(p drydock.Principal, resource string, lifetime time.Duration, confined bool) (string, time.Time, error) {
	if p.Run == nil {
		return "", time.Time{}, fmt.Errorf("a token for the identity %s outside of a run", p.ID)
	}
	c := a.claims(p.ID, resource, lifetime)
	c.AppID, c.Azp, c.Confined = p.AppID, p.AppID, confined
	c.setRunKey(*p.Run)
	text, err := a.c.Keys.sign(c)
	return text, c.Expiry.Time(), err
}

// ownUse is how long a token is good with which the server itself looks at images
// for a task, outside of runs.
const ownUse = 15 * time.Minute

// NewRegistryToken returns a token with which an identity signs in to one
// registry, good for at most lifetime: while the run lasts that acts as it, or for
// a short time if none does and the server itself uses it. It opens nothing else that
// the identity may open. It is good outside of the run: steps are shown what Confined
// makes of it, but for those of tasks that are left to the real Azure, which see it.
func (a *Authority) NewRegistryToken(registry drydock.ResourceID, p drydock.Principal, lifetime time.Duration) (string, error) {
	if p.Run == nil {
		lifetime = min(lifetime, ownUse)
	}
	c := a.claims(p.ID, registry.Key(), lifetime)
	c.AppID, c.Azp, c.Purpose = p.AppID, p.AppID, refreshPurpose
	if p.Run != nil {
		c.setRunKey(*p.Run)
	}
	return a.c.Keys.sign(c)
}

// Unconfined returns what a run itself signs in to a registry with, outside of its
// own network, in place of a confined token for the registry that one of its steps
// has: the same token, and no longer good than that. It is not for steps. All other
// tokens are returned as they are.
func (a *Authority) Unconfined(registry drydock.ResourceID, run drydock.RunKey, token string) (string, error) {
	return a.confine(registry, run, token, false)
}

// Confined is the reverse: what steps are shown of a token with which their run
// signs in to a registry.
func (a *Authority) Confined(registry drydock.ResourceID, run drydock.RunKey, token string) (string, error) {
	return a.confine(registry, run, token, true)
}

// confine returns a token of a run for a registry that is confined or not, and all
// other tokens as they are: the registry says what is wrong with them.
func (a *Authority) confine(registry drydock.ResourceID, run drydock.RunKey, token string, confined bool) (string, error) {
	audiences := append([]string{registry.Key()}, a.c.Resources[Registry]...)
	c, refused := a.c.Keys.open(token, a.Issuer(), audiences, a.c.Now())
	key, bound := c.runKey()
	signsIn := c.Purpose == refreshPurpose || c.Purpose == ""
	if refused != nil || !signsIn || c.Confined == confined || !bound || !sameRun(key, run) {
		return token, nil
	}
	c.Confined = confined
	return a.c.Keys.sign(c)
}

// groupType is the type of container groups, whose tokens are as those of runs.
const groupType = "Microsoft.ContainerInstance/containerGroups"

type runKey struct{}

// WithRun returns the context of a request that comes out of a run or a container
// group: from one of its containers, by a way that no one else has.
func WithRun(ctx context.Context, run drydock.RunKey) context.Context {
	return context.WithValue(ctx, runKey{}, run)
}

// RunFrom returns the run that a request comes out of, and false for requests
// from elsewhere.
func RunFrom(ctx context.Context) (drydock.RunKey, bool) {
	k, ok := ctx.Value(runKey{}).(drydock.RunKey)
	return k, ok
}

// runPrincipal returns the principal of a token that is bound to a run: the run
// itself, or a managed identity that it acts as.
func (a *Authority) runPrincipal(ctx context.Context, c Claims) (drydock.Principal, error) {
	key, ok := c.runKey()
	if !ok {
		return drydock.Principal{}, invalidToken("The access token names no run.")
	}
	if from, inside := RunFrom(ctx); c.Confined && (!inside || !sameRun(from, key)) {
		return drydock.Principal{}, invalidToken("The access token is one of %s, and good only in that %s.", key, key.Kind())
	}
	if key.OfGroup() {
		return a.groupPrincipal(ctx, c, key)
	}
	run, err := a.c.Runs.Run(ctx, key.Registry, key.ID)
	if drydock.CodeOf(err) == drydock.NotFound {
		return drydock.Principal{}, invalidToken("The run that the access token is for was deleted.")
	}
	if err != nil {
		return drydock.Principal{}, fmt.Errorf("finding the run of a token: %w", err)
	}
	if !key.Acts(run) {
		return drydock.Principal{}, invalidToken("The run that the access token is for has ended.")
	}
	p := runIdentity(run.Registry, run.ID)
	if c.ObjectID != p.ID {
		if p, err = a.storedPrincipal(ctx, c.ObjectID); err != nil {
			return drydock.Principal{}, err
		}
		if p.Person != nil && p.Person.Disabled {
			return drydock.Principal{}, invalidToken("The account of %s is disabled.", p.Person.Login)
		}
	}
	p.Run, p.Confined = &key, c.Confined
	return p, nil
}

// groupPrincipal returns the identity that a container group acts as.
func (a *Authority) groupPrincipal(ctx context.Context, c Claims, key drydock.RunKey) (drydock.Principal, error) {
	there, err := a.groupIsThere(ctx, key)
	if err != nil {
		return drydock.Principal{}, err
	}
	if !there {
		return drydock.Principal{}, invalidToken("The container group that the access token is for was deleted.")
	}
	p, err := a.storedPrincipal(ctx, c.ObjectID)
	p.Run, p.Confined = &key, c.Confined
	return p, err
}

// groupIsThere reports whether a container group is still the one of a key.
func (a *Authority) groupIsThere(ctx context.Context, key drydock.RunKey) (bool, error) {
	if a.c.Groups == nil {
		return false, nil
	}
	created, err := a.c.Groups(ctx, key.Group)
	if drydock.CodeOf(err) == drydock.NotFound {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("finding the container group of a token: %w", err)
	}
	return created.Equal(key.Created), nil
}

// sameRun reports whether two keys name one attempt of one run, or one group.
func sameRun(a, b drydock.RunKey) bool {
	return a.Group.Key() == b.Group.Key() && a.Registry.Key() == b.Registry.Key() && a.ID == b.ID && a.Attempt == b.Attempt && a.Created.Equal(b.Created)
}

// setRunKey binds a token to an attempt of a run.
func (c *Claims) setRunKey(k drydock.RunKey) {
	c.Run, c.RunCreated, c.Attempt = k.Resource().String(), k.Created.UnixNano(), k.Attempt
}

// runKey returns the attempt of a run that a token is bound to.
func (c *Claims) runKey() (drydock.RunKey, bool) {
	id, err := drydock.ParseResourceID(c.Run)
	if err == nil && strings.EqualFold(id.Type(), groupType) {
		return drydock.RunKey{Group: id, Created: time.Unix(0, c.RunCreated)}, true
	}
	if err != nil || len(id.Types) != 2 || id.Types[1] != runType {
		return drydock.RunKey{}, false
	}
	return drydock.RunKey{Registry: id.Parent(), ID: id.Name(), Created: time.Unix(0, c.RunCreated), Attempt: c.Attempt}, true
}

// runIdentity is the principal of a run. It is derived from the run, so there
// is nothing to clean up when a run ends or its server dies.
func runIdentity(registry drydock.ResourceID, run string) drydock.Principal {
	owner := registry.Child(runType, run)
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte(owner.Key())).String()
	return drydock.Principal{ID: id, AppID: id, Kind: drydock.RunIdentity, Name: "run " + run, Owner: owner}
}
