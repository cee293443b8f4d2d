package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drydockhq/drydock"
)

// tags returns the tags of what has come, in that order.
func (w *world) tags() string {
	var tags []string
	for _, s := range w.taken() {
		var m struct {
			Target struct{ Tag string }
		}
		if err := json.Unmarshal(s.body, &m); err != nil {
			w.t.Fatal(err)
		}
		tags = append(tags, m.Target.Tag)
	}
	return strings.Join(tags, " ")
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

var errAway = errors.New("connection refused")

func away(*http.Request, []byte) (*http.Response, error) { return nil, errAway }

// The other side is away for hours: nothing is lost, and all comes in order and
// once when it is back.
func TestMessagesWaitForTheOtherSide(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		one, two := w.hook("one", "", "push"), w.hook("two", "", "push")
		w.setAnswer(func(r *http.Request, _ []byte) (*http.Response, error) {
			if r.URL.Host == "one.test" {
				return nil, errAway
			}
			return respond(200, "")
		})
		stop := w.start()
		w.push("a")
		w.push("b")
		time.Sleep(5 * time.Hour)
		w.push("c")
		synctest.Wait()
		same(t, "the one that is away", w.sent(one), []string{"push a waits 13", "push b waits 0", "push c waits 0"})
		same(t, "the other one", w.sent(two), []string{"push a taken 1", "push b taken 1", "push c taken 1"})
		w.setAnswer(nil)
		w.got = nil
		time.Sleep(time.Hour + 13*time.Minute)
		same(t, "when it is back", w.sent(one), []string{"push a taken 14", "push b taken 1", "push c taken 1"})
		if got := w.tags(); got != "a b c" {
			t.Error("they came as ", got)
		}
		stop()
	})
}

func TestMessagesAreGivenUpAfterADay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		hook := w.hook("one", "", "push")
		w.setAnswer(away)
		stop := w.start()
		begin := time.Now()
		w.push("a")
		time.Sleep(26 * time.Hour)
		same(t, "after a day", w.sent(hook), []string{"push a given up 33"})
		var after []string
		for _, s := range w.taken() {
			after = append(after, s.at.Sub(begin).Round(time.Second).String())
		}
		same(t, "the first attempts", after[:6], []string{"0s", "10s", "30s", "1m10s", "2m30s", "5m10s"})
		if last := after[len(after)-1]; last != "24h25m10s" {
			t.Errorf("the last attempt was after %s", last)
		}
		w.setAnswer(nil)
		w.push("b")
		synctest.Wait()
		same(t, "the next one", w.sent(hook), []string{"push a given up 33", "push b taken 1"})
		stop()
	})
}

// What is refused is tried again, and holds up nothing.
func TestRefusedMessagesHoldNothingUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		hook := w.hook("one", "", "push")
		w.setAnswer(func(_ *http.Request, body []byte) (*http.Response, error) {
			if strings.Contains(string(body), `"tag":"a"`) {
				return respond(422, "no")
			}
			return respond(204, "")
		})
		for _, tag := range []string{"a", "b", "c"} {
			w.push(tag)
		}
		stop := w.start()
		synctest.Wait()
		same(t, "at once", w.sent(hook), []string{"push a waits 1", "push b taken 1", "push c taken 1"})
		w.setAnswer(nil)
		time.Sleep(time.Minute)
		same(t, "a minute later", w.sent(hook), []string{"push a taken 2", "push b taken 1", "push c taken 1"})
		stop()
	})
}

// A request that is under way when the server ends is made again, under the
// same id, by the next one.
func TestMessagesSurviveAnEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		hook := w.hook("one", "", "push")
		w.setAnswer(func(r *http.Request, _ []byte) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		stop := w.start()
		w.push("a")
		synctest.Wait()
		stop()
		same(t, "after the end", w.sent(hook), []string{"push a waits 0"})
		w.setAnswer(nil)
		stop = w.start()
		synctest.Wait()
		stop()
		same(t, "after the next start", w.sent(hook), []string{"push a taken 1"})
		got := w.taken()
		if len(got) != 2 || got[0].header.Get("X-Drydock-Delivery") != got[1].header.Get("X-Drydock-Delivery") {
			t.Errorf("came %d times", len(got))
		}
	})
}

// A message that was taken while the server ends is not sent again.
func TestMessageTakenAtTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		hook := w.hook("one", "", "push")
		ctx, cancel := context.WithCancel(t.Context())
		w.setAnswer(func(*http.Request, []byte) (*http.Response, error) {
			cancel()
			return respond(200, "")
		})
		w.push("a")
		w.sender.Run(ctx)
		same(t, "after the end", w.sent(hook), []string{"push a taken 1"})
	})
}

func TestAnswerThatNeverComes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		hook := w.hook("one", "", "push")
		w.setAnswer(func(r *http.Request, _ []byte) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		stop := w.start()
		w.push("a")
		time.Sleep(16 * time.Second)
		all, err := w.follower.Outbox.Sent(t.Context(), hook, 1)
		if err != nil || all[0].Attempts != 1 || all[0].Last.Reason != "no answer in 15s" {
			t.Errorf("%+v %v", all[0].Last, err)
		}
		stop()
	})
}

func TestTooManyRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		hook := w.hook("one", "", "push")
		w.setAnswer(func(*http.Request, []byte) (*http.Response, error) { return respond(429, "", "Retry-After", "600") })
		stop := w.start()
		w.push("a")
		w.push("b")
		time.Sleep(9 * time.Minute)
		same(t, "while it wants to be left alone", w.sent(hook), []string{"push a waits 1", "push b waits 0"})
		w.setAnswer(nil)
		time.Sleep(2 * time.Minute)
		same(t, "then", w.sent(hook), []string{"push a taken 2", "push b taken 1"})
		stop()
	})
}

// A webhook that is set right, or enabled again, gets what waited at once; one
// that is gone nothing.
func TestChangedTargets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		hook, gone := w.hook("one", "", "push"), w.hook("gone", "", "push")
		w.target("one", drydock.DeliveryTarget{URL: "https://wrong.test"})
		w.setAnswer(func(r *http.Request, _ []byte) (*http.Response, error) {
			if r.URL.Host == "wrong.test" {
				return respond(404, "")
			}
			return respond(200, "")
		})
		w.mu.Lock()
		delete(w.targets, "gone")
		w.mu.Unlock()
		stop := w.start()
		w.push("a")
		time.Sleep(3 * time.Hour)
		w.target("one", drydock.DeliveryTarget{URL: "https://right.test", Disabled: true})
		if err := w.follower.Outbox.Hasten(t.Context(), hook); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		same(t, "disabled", w.sent(hook), []string{"push a waits 12"})
		w.target("one", drydock.DeliveryTarget{URL: "https://right.test"})
		if err := w.follower.Outbox.Hasten(t.Context(), hook); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		same(t, "set right", w.sent(hook), []string{"push a taken 13"})
		same(t, "gone", w.sent(gone), []string{"push a given up 0"})
		stop()
	})
}

// A thousand messages for a webhook that is slow don't hold up another one.
func TestManyMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		slow, quick := w.hook("slow", "", "push"), w.hook("quick", "", "push")
		w.setAnswer(func(r *http.Request, _ []byte) (*http.Response, error) {
			if r.URL.Host == "slow.test" {
				time.Sleep(time.Second)
			}
			return respond(200, "")
		})
		for i := range 50 {
			w.push(fmt.Sprint(i))
		}
		stop := w.start()
		time.Sleep(10*time.Second + time.Millisecond)
		if got := w.sent(quick); !strings.Contains(got[49], "taken 1") {
			t.Error("quick: ", got[49])
		}
		if got := w.sent(slow); !strings.Contains(got[9], "taken 1") || !strings.Contains(got[10], "waits 0") {
			t.Error("slow: ", got[9:11])
		}
		stop()
	})
}
