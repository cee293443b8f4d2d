package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
)

var resourceTests = map[string]func(*testing.T, Store){
	"kept":            resourceKept,
	"case":            resourceCase,
	"replaced":        resourceReplaced,
	"etags":           resourceETags,
	"etag races":      resourceETagRaces,
	"parents":         resourceParents,
	"global names":    resourceGlobalNames,
	"aliases":         resourceAliases,
	"alias races":     resourceAliasRaces,
	"filters":         resourceFilters,
	"deleted deep":    resourceDeletedDeep,
	"deleted, reborn": resourceReborn,
}

func put(t *testing.T, s drydock.ResourceStore, r drydock.Resource) drydock.Resource {
	t.Helper()
	stored, err := s.PutResource(t.Context(), r, "")
	check(t, err)
	return stored
}

func resourceKept(t *testing.T, s Store) {
	_, err := s.Resource(t.Context(), group)
	wantCode(t, "before", err, drydock.NotFound)
	putRegistries(t, s)
	r := drydock.Resource{
		ID: registry.Child("tasks", "Build"), Location: "westeurope",
		Body: []byte(`{"properties":{"später":1}}`), Secrets: []byte{0, 1, 255},
		Created: day, Updated: day.Add(time.Second), GlobalName: true, Alias: "builder",
	}
	stored := put(t, s, r)
	if stored.ETag == "" {
		t.Error("no ETag")
	}
	got, err := s.Resource(t.Context(), r.ID)
	check(t, err)
	same(t, "read against written", got, stored)
	r.ETag = stored.ETag
	same(t, "written against given", stored, r)
}

func resourceCase(t *testing.T, s Store) {
	putRegistries(t, s)
	// A client that names the group in lower case, as az does.
	id := mustID(strings.ToLower(other.String()))
	task := put(t, s, drydock.Resource{ID: id.Child("tasks", "Nightly")})
	if got, want := task.ID.String(), other.Child("tasks", "Nightly").String(); got != want {
		t.Errorf("a child below another spelling is %s, want %s", got, want)
	}
	again := put(t, s, drydock.Resource{ID: mustID(strings.ToUpper(task.ID.String()))})
	if got, want := again.ID.String(), task.ID.String(); got != want {
		t.Errorf("written under another spelling it is %s, want %s", got, want)
	}
	got, err := s.Resource(t.Context(), mustID(strings.ToUpper(task.ID.String())))
	check(t, err)
	same(t, "read under another spelling", got, again)
	found, err := s.Resources(t.Context(), drydock.ResourceFilter{Below: id})
	check(t, err)
	same(t, "below another spelling", found, []drydock.Resource{again})
	check(t, s.DeleteResource(t.Context(), id))
	_, err = s.Resource(t.Context(), task.ID)
	wantCode(t, "after its parent was deleted under another spelling", err, drydock.NotFound)
}

func resourceReplaced(t *testing.T, s Store) {
	first := put(t, s, drydock.Resource{ID: group, Body: []byte("1"), Secrets: []byte("s"), Created: day, Updated: day})
	second := put(t, s, drydock.Resource{ID: group, Body: []byte("2"), Created: day.Add(time.Hour), Updated: day.Add(time.Hour)})
	if !second.Created.Equal(day) {
		t.Errorf("a replaced resource was created at %v, want %v", second.Created, day)
	}
	if first.ETag == second.ETag {
		t.Error("the ETag did not change")
	}
	got, err := s.Resource(t.Context(), group)
	check(t, err)
	same(t, "read", got, second)
	if got.Secrets != nil {
		t.Errorf("secrets are %q, want nil", got.Secrets)
	}
}

func resourceETags(t *testing.T, s Store) {
	r := drydock.Resource{ID: group}
	for _, match := range []string{"*", "x"} {
		_, err := s.PutResource(t.Context(), r, match)
		wantCode(t, "match "+match+" of none", err, drydock.Conflict)
	}
	first := put(t, s, r)
	second, err := s.PutResource(t.Context(), r, first.ETag)
	check(t, err)
	_, err = s.PutResource(t.Context(), r, first.ETag)
	wantCode(t, "an old ETag", err, drydock.Conflict)
	third, err := s.PutResource(t.Context(), r, "*")
	check(t, err)
	if third.ETag == second.ETag {
		t.Error("the ETag did not change")
	}
}

func resourceETagRaces(t *testing.T, s Store) {
	first := put(t, s, drydock.Resource{ID: group})
	const writers = 8
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			_, errs[i] = s.PutResource(t.Context(), drydock.Resource{ID: group}, first.ETag)
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		wantCode(t, "a writer that lost", err, drydock.Conflict)
	}
	if won != 1 {
		t.Errorf("%d writers replaced one ETag: %v", won, errors.Join(errs...))
	}
}

func resourceParents(t *testing.T, s Store) {
	_, err := s.PutResource(t.Context(), drydock.Resource{ID: registry}, "")
	wantCode(t, "a registry without its group", err, drydock.NotFound)
	put(t, s, drydock.Resource{ID: group})
	_, err = s.PutResource(t.Context(), drydock.Resource{ID: registry.Child("tasks", "t")}, "")
	wantCode(t, "a task without its registry", err, drydock.NotFound)
	put(t, s, drydock.Resource{ID: mustID("/subscriptions/0001")})
	put(t, s, drydock.Resource{ID: mustID("/subscriptions/0000/providers/Microsoft.Authorization/policies/p")})
}

func resourceGlobalNames(t *testing.T, s Store) {
	putRegistries(t, s)
	far := mustID("/subscriptions/0001/resourceGroups/far")
	put(t, s, drydock.Resource{ID: far})
	elsewhere := mustID(far.String() + "/providers/microsoft.containerregistry/registries/Harbor")
	mine := mustID(group.String() + "/providers/Microsoft.ContainerRegistry/registries/harbor")
	put(t, s, drydock.Resource{ID: mine, GlobalName: true})
	put(t, s, drydock.Resource{ID: mine, GlobalName: true})
	_, err := s.PutResource(t.Context(), drydock.Resource{ID: elsewhere, GlobalName: true}, "")
	wantCode(t, "a name that is taken", err, drydock.Conflict)
	vault := mustID(far.String() + "/providers/Microsoft.KeyVault/vaults/harbor")
	put(t, s, drydock.Resource{ID: vault, GlobalName: true})
	check(t, s.DeleteResource(t.Context(), mine))
	put(t, s, drydock.Resource{ID: elsewhere, GlobalName: true})
}

func resourceAliases(t *testing.T, s Store) {
	putRegistries(t, s)
	mine, yours := registry.Child("tasks", "mine"), other.Child("tasks", "yours")
	put(t, s, drydock.Resource{ID: mine, Alias: "page.here"})
	put(t, s, drydock.Resource{ID: mine, Alias: "page.here"})
	_, err := s.PutResource(t.Context(), drydock.Resource{ID: yours, Alias: "page.here"}, "")
	wantCode(t, "an alias that is taken", err, drydock.Conflict)
	put(t, s, drydock.Resource{ID: registry.Child("webhooks", "mine"), Alias: "page.here"})
	put(t, s, drydock.Resource{ID: yours, Alias: "page.there"})
	found, err := s.Resources(t.Context(), drydock.ResourceFilter{Type: mine.Type(), Alias: "page.here"})
	check(t, err)
	if len(found) != 1 || found[0].ID.Key() != mine.Key() || found[0].Alias != "page.here" {
		t.Errorf("found by its alias: %v", found)
	}
	put(t, s, drydock.Resource{ID: mine}) // gives it up
	put(t, s, drydock.Resource{ID: yours, Alias: "page.here"})
	check(t, s.DeleteResource(t.Context(), yours))
	put(t, s, drydock.Resource{ID: mine, Alias: "page.here"})
}

func resourceAliasRaces(t *testing.T, s Store) {
	putRegistries(t, s)
	const writers = 8
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			r := drydock.Resource{ID: registry.Child("tasks", fmt.Sprint("t", i)), Alias: "page.here"}
			_, errs[i] = s.PutResource(t.Context(), r, "")
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		wantCode(t, "a writer that lost", err, drydock.Conflict)
	}
	if won != 1 {
		t.Errorf("%d writers have the alias", won)
	}
}

func resourceFilters(t *testing.T, s Store) {
	putRegistries(t, s)
	// Next to the others in the order of their bytes, and not below them.
	near := mustID(registry.String() + "0")
	dash := mustID(registry.String() + "-x")
	task := registry.Child("tasks", "build")
	for _, id := range []drydock.ResourceID{near, dash, task, other.Child("tasks", "build"), other.Child("tasks", "a%_b")} {
		put(t, s, drydock.Resource{ID: id})
	}
	const registries = "microsoft.CONTAINERREGISTRY/registries"
	for name, c := range map[string]struct {
		filter drydock.ResourceFilter
		want   []string
	}{
		"all": {want: []string{
			"Docks", "contoso", "contoso-x", "build", "contoso0", "Fabrikam", "a%_b", "build",
		}},
		"below a registry":     {drydock.ResourceFilter{Below: registry}, []string{"build"}},
		"below a group":        {drydock.ResourceFilter{Below: group, Type: registries}, []string{"contoso", "contoso-x", "contoso0", "Fabrikam"}},
		"below a subscription": {drydock.ResourceFilter{Below: mustID("/subscriptions/0000"), Name: "DOCKS"}, []string{"Docks"}},
		"another subscription": {drydock.ResourceFilter{Below: mustID("/subscriptions/000")}, nil},
		"by type":              {drydock.ResourceFilter{Type: registries + "/tasks"}, []string{"build", "a%_b", "build"}},
		"by type and name":     {drydock.ResourceFilter{Type: registries, Name: "fabriKAM"}, []string{"Fabrikam"}},
		"no patterns":          {drydock.ResourceFilter{Name: "%"}, nil},
	} {
		found, err := s.Resources(t.Context(), c.filter)
		check(t, err)
		var names []string
		for _, r := range found {
			names = append(names, r.ID.Name())
		}
		same(t, name, names, c.want)
	}
}

func resourceDeletedDeep(t *testing.T, s Store) {
	putRegistries(t, s)
	wantCode(t, "deleting none", s.DeleteResource(t.Context(), registry.Child("tasks", "none")), drydock.NotFound)
	task := registry.Child("tasks", "build")
	put(t, s, drydock.Resource{ID: task})
	run, err := s.CreateRun(t.Context(), drydock.RunRecord{Registry: registry})
	check(t, err)
	check(t, s.PutPrincipal(t.Context(), drydock.Principal{ID: "p1", AppID: "a1", Owner: task}))
	check(t, s.PutPrincipal(t.Context(), drydock.Principal{ID: "p2", AppID: "a2"}))
	check(t, s.PutRoleAssignment(t.Context(), drydock.RoleAssignment{ID: "r1", Scope: other, Role: "r", Principal: "p1"}))
	check(t, s.PutRoleAssignment(t.Context(), drydock.RoleAssignment{ID: "r2", Scope: registry, Role: "r", Principal: "p2"}))
	kept := drydock.RoleAssignment{ID: "r3", Scope: other, Role: "r", Principal: "p2"}
	check(t, s.PutRoleAssignment(t.Context(), kept))

	check(t, s.DeleteResource(t.Context(), registry))
	for _, id := range []drydock.ResourceID{registry, task} {
		_, err := s.Resource(t.Context(), id)
		wantCode(t, "resource", err, drydock.NotFound)
	}
	_, err = s.Run(t.Context(), registry, run.ID)
	wantCode(t, "run", err, drydock.NotFound)
	_, err = s.Principal(t.Context(), "p1")
	wantCode(t, "identity", err, drydock.NotFound)
	roles, err := s.RoleAssignments(t.Context(), drydock.RoleFilter{})
	check(t, err)
	same(t, "role assignments", roles, []drydock.RoleAssignment{kept})
	_, err = s.Resource(t.Context(), other)
	check(t, err)
}

func resourceReborn(t *testing.T, s Store) {
	putRegistries(t, s)
	first := put(t, s, drydock.Resource{ID: registry})
	_, err := s.CreateRun(t.Context(), drydock.RunRecord{Registry: registry})
	check(t, err)
	check(t, s.DeleteResource(t.Context(), group))
	putRegistries(t, s)
	_, err = s.PutResource(t.Context(), drydock.Resource{ID: registry}, first.ETag)
	wantCode(t, "the ETag of its former life", err, drydock.Conflict)
	found, err := s.Runs(t.Context(), drydock.RunFilter{Registry: registry})
	check(t, err)
	same(t, "runs", found, nil)
	run, err := s.CreateRun(t.Context(), drydock.RunRecord{Registry: registry})
	check(t, err)
	if run.ID != "ca1" {
		t.Errorf("the first run of a new registry is %s", run.ID)
	}
}
