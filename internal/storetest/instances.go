package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/drydockhq/drydock"
)

var instanceTests = map[string]func(*testing.T, Store){
	"kept":        instancesKept,
	"rolled back": instancesRolledBack,
}

var (
	page     = mustID(group.String() + "/providers/Microsoft.ContainerInstance/containerGroups/Page")
	pageToo  = mustID(group.String() + "/providers/Microsoft.ContainerInstance/containerGroups/page-2")
	pageLike = mustID(group.String() + "/providers/Microsoft.ContainerInstance/containerGroups/PAGE")
)

// wantNotes checks the notes of a container group; "" stands for none.
func wantNotes(t *testing.T, s Store, what string, id drydock.ResourceID, want string) {
	t.Helper()
	got, err := s.Instance(t.Context(), id)
	if want == "" {
		wantCode(t, what, err, drydock.NotFound)
		return
	}
	check(t, err)
	same(t, what, string(got), want)
}

func instancesKept(t *testing.T, s Store) {
	wantNotes(t, s, "before there are any", page, "")
	check(t, s.PutInstance(t.Context(), page, []byte("one")))
	check(t, s.PutInstance(t.Context(), pageToo, []byte{0, 0xff}))
	wantNotes(t, s, "in another spelling", pageLike, "one")
	wantNotes(t, s, "bytes of any kind", pageToo, "\x00\xff")
	check(t, s.PutInstance(t.Context(), pageLike, []byte("two")))
	wantNotes(t, s, "replaced", page, "two")

	check(t, s.PutInstance(t.Context(), page, nil))
	got, err := s.Instance(t.Context(), page)
	check(t, err)
	same(t, "empty notes", got, nil)

	check(t, s.DeleteInstance(t.Context(), pageLike))
	wantNotes(t, s, "deleted", page, "")
	wantNotes(t, s, "beside the deleted", pageToo, "\x00\xff")
	check(t, s.DeleteInstance(t.Context(), page)) // there are none
}

func instancesRolledBack(t *testing.T, s Store) {
	check(t, s.PutInstance(t.Context(), page, []byte("before")))
	wrong := errors.New("wrong")
	err := s.Atomically(t.Context(), func(ctx context.Context) error {
		check(t, s.PutInstance(ctx, page, []byte("after")))
		check(t, s.PutInstance(ctx, pageToo, []byte("new")))
		check(t, s.DeleteInstance(ctx, page))
		return wrong
	})
	if !errors.Is(err, wrong) {
		t.Fatal(err)
	}
	wantNotes(t, s, "after it was rolled back", page, "before")
	wantNotes(t, s, "what was new", pageToo, "")
}
