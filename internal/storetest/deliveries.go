package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
)

var deliveryTests = map[string]func(*testing.T, Store){
	"kept":       deliveryKept,
	"in order":   deliveryOrder,
	"hastened":   deliveryHastened,
	"signalled":  deliverySignalled,
	"deleted":    deliveryDeleted,
	"with owner": deliveryWithOwner,
}

func hook(t *testing.T, s Store, name string) drydock.ResourceID {
	t.Helper()
	id := registry.Child("webhooks", name)
	put(t, s, drydock.Resource{ID: id})
	return id
}

// deliver adds a delivery and returns it as it is stored.
func deliver(t *testing.T, s Store, owner drydock.ResourceID, id string, created time.Time) drydock.Delivery {
	t.Helper()
	check(t, s.AddDelivery(t.Context(), drydock.Delivery{ID: id, Owner: owner, Action: "push", Body: []byte(id), Created: created}))
	all, err := s.Deliveries(t.Context(), owner, 1)
	check(t, err)
	if len(all) != 1 {
		t.Fatal("the delivery is not there")
	}
	return all[0]
}

func wantDue(t *testing.T, s Store, now time.Time, next time.Time, ids ...string) {
	t.Helper()
	due, first, err := s.DueDeliveries(t.Context(), now, 10)
	check(t, err)
	var got []string
	for _, d := range due {
		got = append(got, d.ID)
	}
	same(t, fmt.Sprint("due at ", now), got, ids)
	if !first.Equal(next) {
		t.Errorf("the next are due at %s, want %s", first, next)
	}
}

func deliveryKept(t *testing.T, s Store) {
	putRegistries(t, s)
	owner := hook(t, s, "Hook")
	d := drydock.Delivery{ID: "d1", Owner: owner, Action: "push", Body: []byte{0, 255}, Created: day}
	check(t, s.AddDelivery(t.Context(), d))
	d.Number, d.Next, d.Blocks = 1, day, true
	twice := d
	twice.Action = "delete"
	check(t, s.AddDelivery(t.Context(), twice))
	all, err := s.Deliveries(t.Context(), owner, 10)
	check(t, err)
	same(t, "stored", all, []drydock.Delivery{d})

	d.Attempts, d.Next, d.Taken, d.Blocks = 2, time.Time{}, day.Add(time.Hour), false
	d.Last = drydock.DeliveryAttempt{
		Time: day.Add(time.Hour), Headers: map[string]string{"A": "b"}, Status: 200, Reason: "OK", Version: "1.1",
		Answered: map[string]string{"C": "d"}, Content: "ü",
	}
	check(t, s.UpdateDelivery(t.Context(), d))
	all, err = s.Deliveries(t.Context(), owner, 10)
	check(t, err)
	same(t, "taken", all, []drydock.Delivery{d})
	wantDue(t, s, day.Add(24*time.Hour), time.Time{})
}

// Those of an owner wait for those before them, not for those of others.
func deliveryOrder(t *testing.T, s Store) {
	putRegistries(t, s)
	one, two := hook(t, s, "one"), hook(t, s, "two")
	first := deliver(t, s, one, "1", day)
	deliver(t, s, one, "2", day)
	deliver(t, s, two, "3", day.Add(time.Minute))
	wantDue(t, s, day, day.Add(time.Minute), "1")
	wantDue(t, s, day.Add(time.Minute), time.Time{}, "1", "3")

	first.Attempts, first.Next = 1, day.Add(time.Hour)
	check(t, s.UpdateDelivery(t.Context(), first))
	deliver(t, s, one, "4", day.Add(2*time.Minute))
	wantDue(t, s, day.Add(30*time.Minute), day.Add(time.Hour), "3")
	wantDue(t, s, day.Add(time.Hour), time.Time{}, "3", "1")

	// Refused, it is tried again without the others waiting for it.
	first.Attempts, first.Next, first.Blocks = 2, day.Add(2*time.Hour), false
	check(t, s.UpdateDelivery(t.Context(), first))
	wantDue(t, s, day.Add(time.Hour), day.Add(2*time.Hour), "3", "2")
	wantDue(t, s, day.Add(3*time.Hour), time.Time{}, "3", "2", "1")
}

func deliveryHastened(t *testing.T, s Store) {
	putRegistries(t, s)
	one, two := hook(t, s, "one"), hook(t, s, "two")
	for _, owner := range []drydock.ResourceID{one, two} {
		d := deliver(t, s, owner, owner.Name(), day)
		d.Next = day.Add(time.Hour)
		check(t, s.UpdateDelivery(t.Context(), d))
		done := deliver(t, s, owner, owner.Name()+" done", day)
		done.Next = time.Time{}
		check(t, s.UpdateDelivery(t.Context(), done))
	}
	check(t, s.HastenDeliveries(t.Context(), one, day.Add(time.Minute)))
	wantDue(t, s, day.Add(time.Minute), day.Add(time.Hour), "one")
}

func deliverySignalled(t *testing.T, s Store) {
	putRegistries(t, s)
	owner := hook(t, s, "hook")
	changed := s.DeliveriesChanged()
	deliver(t, s, owner, "1", day)
	select {
	case <-changed:
	case <-time.After(time.Minute):
		t.Fatal("nobody was told")
	}
	changed = s.DeliveriesChanged()
	deliver(t, s, owner, "1", day)
	select {
	case <-changed:
		t.Error("told of what was there already")
	default:
	}
}

func deliveryDeleted(t *testing.T, s Store) {
	putRegistries(t, s)
	one, two := hook(t, s, "one"), hook(t, s, "two")
	for i := range 4 {
		for _, owner := range []drydock.ResourceID{one, two} {
			d := deliver(t, s, owner, fmt.Sprint(owner.Name(), i), day.Add(time.Duration(i)*time.Hour))
			if i == 0 && owner.Name() == "one" {
				continue // it is still tried
			}
			d.Next = time.Time{}
			check(t, s.UpdateDelivery(t.Context(), d))
		}
	}
	remaining := func(owner drydock.ResourceID, want ...string) {
		t.Helper()
		all, err := s.Deliveries(t.Context(), owner, 10)
		check(t, err)
		var got []string
		for _, d := range all {
			got = append(got, d.ID)
		}
		same(t, "those left of "+owner.Name(), got, want)
	}
	check(t, s.DeleteDeliveries(t.Context(), day.Add(90*time.Minute), 10))
	remaining(one, "one3", "one2", "one0")
	remaining(two, "two3", "two2")
	check(t, s.DeleteDeliveries(t.Context(), day, 1))
	remaining(one, "one3", "one0")
	remaining(two, "two3")
}

func deliveryWithOwner(t *testing.T, s Store) {
	putRegistries(t, s)
	owner := hook(t, s, "hook")
	d := deliver(t, s, owner, "1", day)
	check(t, s.DeleteResource(t.Context(), owner))
	wantDue(t, s, day, time.Time{})
	check(t, s.UpdateDelivery(t.Context(), d))
	err := s.AddDelivery(t.Context(), drydock.Delivery{ID: "2", Owner: owner, Created: day})
	wantCode(t, "without an owner", err, drydock.NotFound)
}
