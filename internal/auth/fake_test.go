package auth_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// store is the ports of this package in memory.
type store struct {
	mu          sync.Mutex
	principals  map[string]drydock.Principal
	assignments []drydock.RoleAssignment
	settings    map[string][]byte
	runs        map[string]drydock.RunRecord
}

var (
	_ drydock.PrincipalStore = (*store)(nil)
	_ drydock.PeopleStore    = (*store)(nil)
	_ drydock.RoleStore      = (*store)(nil)
	_ drydock.SettingStore   = (*store)(nil)
	_ auth.RunReader         = (*store)(nil)
)

func newStore() *store {
	return &store{principals: map[string]drydock.Principal{}, settings: map[string][]byte{}, runs: map[string]drydock.RunRecord{}}
}

func notFound(what string) error { return drydock.Errorf(drydock.NotFound, "no %s", what) }

func (s *store) Principal(_ context.Context, id string) (drydock.Principal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.principals[id]
	if !ok {
		return p, notFound("principal " + id)
	}
	return p, nil
}

func (s *store) PrincipalByAppID(_ context.Context, appID string) (drydock.Principal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.principals {
		if p.AppID == appID {
			return p, nil
		}
	}
	return drydock.Principal{}, notFound("application " + appID)
}

func (s *store) Principals(context.Context, drydock.ResourceID) ([]drydock.Principal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.principals)), nil
}

func (s *store) PutPrincipal(_ context.Context, p drydock.Principal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.principals {
		if p.Person != nil && other.Person != nil && other.ID != p.ID && other.Person.Login == p.Person.Login {
			return drydock.Errorf(drydock.Conflict, "the name is taken")
		}
	}
	s.principals[p.ID] = p
	return nil
}

func (s *store) DeletePrincipal(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.principals, id)
	return nil
}

func (s *store) RoleAssignments(_ context.Context, f drydock.RoleFilter) ([]drydock.RoleAssignment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []drydock.RoleAssignment
	for _, a := range s.assignments {
		if (f.Principal == "" || f.Principal == a.Principal) &&
			(f.Below.Subscription == "" || strings.HasPrefix(a.Scope.Key()+"/", f.Below.Key()+"/")) {
			out = append(out, a)
		}
	}
	return out, nil
}

func (s *store) PutRoleAssignment(_ context.Context, a drydock.RoleAssignment) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.assignments = append(s.assignments, a)
	return nil
}

func (s *store) DeleteRoleAssignment(context.Context, drydock.ResourceID, string) error { return nil }

func (s *store) DeleteRoleAssignments(context.Context, drydock.ResourceID) error { return nil }

func (s *store) Setting(_ context.Context, name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.settings[name]
	if !ok {
		return nil, notFound("setting " + name)
	}
	return v, nil
}

func (s *store) AddSetting(_ context.Context, name string, value []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.settings[name]; ok {
		return old, nil
	}
	s.settings[name] = value
	return value, nil
}

func (s *store) PutSetting(_ context.Context, name string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settings[name] = value
	return nil
}

func (s *store) Run(_ context.Context, registry drydock.ResourceID, id string) (drydock.RunRecord, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.runs[registry.Child("runs", id).Key()]
	if !ok {
		return r, notFound("run " + id)
	}
	return r, nil
}

func (s *store) setRun(r drydock.RunRecord) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs[r.Registry.Child("runs", r.ID).Key()] = r
}

const (
	tenant       = "11111111-2222-3333-4444-555555555555"
	subscription = "99999999-2222-3333-4444-555555555555"
	loginURL     = "https://login.drydock.test"
	armResource  = "https://management.drydock.test"
)

// site is an authority with its store, and a clock that tests move.
type site struct {
	*auth.Authority
	store     *store
	keys      *auth.Keys
	directory *auth.Directory
	login     string               // URL of the authority; loginURL if it is empty
	provider  *auth.Provider       // nil for none
	groups    map[string]time.Time // when container groups were made, by their keys

	mu  sync.Mutex
	now time.Time
	ids int
}

// group says when a container group was made.
func (s *site) group(_ context.Context, id drydock.ResourceID) (time.Time, error) {
	if made, ok := s.groups[id.Key()]; ok {
		return made, nil
	}
	return time.Time{}, notFound("container group " + id.Name())
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *site) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func (s *site) newID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids++
	return fmt.Sprintf("00000000-0000-0000-0000-%012d", s.ids)
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{store: newStore(), now: time.Unix(1_700_000_000, 0)}
	sealer, err := auth.NewSealer(auth.NewSealKey())
	if err != nil {
		t.Fatal(err)
	}
	s.keys = &auth.Keys{Settings: s.store, Sealer: sealer, Now: s.clock}
	s.load(t)
	s.directory = &auth.Directory{
		Principals: s.store, Roles: s.store, Settings: s.store,
		Hasher: auth.NewHasher(), Now: s.clock, NewID: s.newID,
	}
	return s
}

// load begins again with what is stored, as a new start does.
func (s *site) load(t *testing.T) {
	t.Helper()
	keys, err := s.keys.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Authority = auth.NewAuthority(auth.Config{
		Keys: keys, Principals: s.store, Runs: s.store, Groups: s.group, Hasher: auth.NewHasher(),
		Tenant: tenant, LoginURL: cmp.Or(s.login, loginURL), Provider: s.provider,
		Resources: map[auth.Audience][]string{
			auth.Management: {armResource, "https://management.core.windows.net/"},
			auth.Registry:   {"https://containerregistry.azure.net"},
		},
		Now: s.clock, NewID: s.newID,
	})
}

// PrincipalByLogin implements drydock.PeopleStore.
func (s *store) PrincipalByLogin(_ context.Context, login string) (drydock.Principal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.principals {
		if p.Person != nil && p.Person.Login == login {
			return p, nil
		}
	}
	return drydock.Principal{}, notFound("user " + login)
}
