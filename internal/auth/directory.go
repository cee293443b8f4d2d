package auth

import (
	"context"
	"fmt"
	"time"

	"github.com/drydockhq/drydock"
)

// adminSetting holds the object id of the admin service principal.
const adminSetting = "auth/admin"

// Directory makes and changes principals. Its methods may be called from
// several goroutines.
type Directory struct {
	Principals drydock.PrincipalStore
	Roles      drydock.RoleStore
	Settings   drydock.SettingStore
	Hasher     *Hasher
	Now        func() time.Time
	NewID      func() string // returns a fresh GUID
}

// Credentials are what a service principal signs in with. The secret can't be
// read again.
type Credentials struct {
	AppID   string
	KeyID   string // of the secret among the principal's, a GUID
	Secret  string
	Created time.Time
	Expires time.Time
}

// Admin makes the admin service principal, with the role Owner on a
// subscription, and returns its credentials; nil if there is one already.
func (d *Directory) Admin(ctx context.Context, subscription string) (*Credentials, error) {
	fresh := d.NewID()
	id, err := d.Settings.AddSetting(ctx, adminSetting, []byte(fresh))
	if err != nil {
		return nil, fmt.Errorf("choosing the admin's id: %w", err)
	}
	// A start that was cut off between the two steps is finished by the next.
	p, err := d.Principals.Principal(ctx, string(id))
	if drydock.CodeOf(err) == drydock.NotFound {
		p = drydock.Principal{ID: string(id), AppID: d.NewID(), Kind: drydock.ServicePrincipal, Name: "drydock-admin", Created: d.Now()}
	} else if err != nil {
		return nil, fmt.Errorf("looking for the admin: %w", err)
	}
	if err := d.own(ctx, p.ID, subscription); err != nil {
		return nil, err
	}
	if len(p.Secrets) > 0 {
		return nil, nil
	}
	return d.setSecret(ctx, p, "first")
}

// own gives a principal the role Owner on a subscription if it lacks that.
func (d *Directory) own(ctx context.Context, principal, subscription string) error {
	scope := drydock.ResourceID{Subscription: subscription}
	held, err := d.Roles.RoleAssignments(ctx, drydock.RoleFilter{Principal: principal, Below: scope})
	if err != nil {
		return fmt.Errorf("reading the admin's roles: %w", err)
	}
	for _, a := range held {
		if a.Role == OwnerRole && a.Scope.Key() == scope.Key() {
			return nil
		}
	}
	return d.Roles.PutRoleAssignment(ctx, drydock.RoleAssignment{
		ID: d.NewID(), Scope: scope, Role: OwnerRole, Principal: principal, Created: d.Now(),
	})
}

// ResetAdmin replaces all secrets of the admin by a new one.
func (d *Directory) ResetAdmin(ctx context.Context) (*Credentials, error) {
	id, err := d.Settings.Setting(ctx, adminSetting)
	if err != nil {
		return nil, fmt.Errorf("looking for the admin: %w", err)
	}
	p, err := d.Principals.Principal(ctx, string(id))
	if err != nil {
		return nil, fmt.Errorf("looking for the admin: %w", err)
	}
	return d.setSecret(ctx, p, "reset")
}

// Create makes a service principal. It has no roles yet.
func (d *Directory) Create(ctx context.Context, name string) (drydock.Principal, *Credentials, error) {
	p := drydock.Principal{ID: d.NewID(), AppID: d.NewID(), Kind: drydock.ServicePrincipal, Name: name, Created: d.Now()}
	c, err := d.setSecret(ctx, p, "first")
	return p, c, err
}

func (d *Directory) setSecret(ctx context.Context, p drydock.Principal, name string) (*Credentials, error) {
	c, kept, err := d.newSecret(ctx, p.AppID, name, time.Time{})
	if err != nil {
		return nil, err
	}
	p.Secrets = []drydock.PrincipalSecret{kept}
	if err := d.Principals.PutPrincipal(ctx, p); err != nil {
		return nil, fmt.Errorf("storing the service principal %s: %w", p.AppID, err)
	}
	return c, nil
}

// Tenant returns the GUID of this installation's tenant, made at its first start.
func Tenant(ctx context.Context, settings drydock.SettingStore, newID func() string) (string, error) {
	return rememberedID(ctx, settings, "auth/tenant", newID)
}

// Subscription returns the GUID of this installation's subscription, made at its
// first start.
func Subscription(ctx context.Context, settings drydock.SettingStore, newID func() string) (string, error) {
	return rememberedID(ctx, settings, "auth/subscription", newID)
}

func rememberedID(ctx context.Context, settings drydock.SettingStore, name string, newID func() string) (string, error) {
	id, err := settings.AddSetting(ctx, name, []byte(newID()))
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", name, err)
	}
	return string(id), nil
}
