package notify_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/hook"
	"github.com/drydockhq/drydock/internal/notify"
	"github.com/drydockhq/drydock/internal/sqlstore"
)

// world has a registry with webhooks on a real store, and another side that is
// a function.
type world struct {
	t        *testing.T
	store    *sqlstore.Store
	registry drydock.ResourceID
	follower *notify.Follower
	sender   *notify.Sender

	mu      sync.Mutex
	hooks   []drydock.Webhook
	targets map[string]drydock.DeliveryTarget // by the name of the webhook
	answer  func(r *http.Request, body []byte) (*http.Response, error)
	got     []sent
	arrived chan struct{} // has something when a message came
}

// sealer hides things well enough for a test.
type sealer struct{}

func (sealer) Seal(plain []byte, purpose string) []byte {
	return []byte(purpose + "\n" + base64.StdEncoding.EncodeToString(plain))
}

func (sealer) Open(sealed []byte, purpose string) ([]byte, error) {
	text, ok := strings.CutPrefix(string(sealed), purpose+"\n")
	if !ok {
		return nil, errors.New("sealed for something else")
	}
	return base64.StdEncoding.DecodeString(text)
}

// sent is a message that came.
type sent struct {
	at     time.Time
	to     string
	header http.Header
	body   []byte
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	sealer := sealer{}
	w := &world{t: t, store: s, targets: map[string]drydock.DeliveryTarget{}, arrived: make(chan struct{}, 1)}
	w.registry = drydock.ResourceID{Subscription: "s", Group: "g", Namespace: "Microsoft.ContainerRegistry", Types: []string{"registries"}, Names: []string{"contoso"}}
	w.put(drydock.ResourceID{Subscription: "s", Group: "g"})
	w.put(w.registry)
	w.follower = &notify.Follower{
		Webhooks: w, Runs: s, Outbox: &notify.Outbox{Store: s, Sealer: sealer, Now: time.Now},
		LoginServer: func(registry drydock.ResourceID) string { return registry.Name() + ".azurecr.test" },
	}
	w.sender = &notify.Sender{
		Store: s, Sealer: sealer, Targets: w, HTTP: &http.Client{Transport: w}, Now: time.Now,
		Log: slog.New(slog.DiscardHandler), Random: func() float64 { return 0 },
	}
	return w
}

func (w *world) put(id drydock.ResourceID) {
	w.t.Helper()
	if _, err := w.store.PutResource(w.t.Context(), drydock.Resource{ID: id}, ""); err != nil {
		w.t.Fatal(err)
	}
}

// hook makes a webhook that goes to https://NAME.test/x.
func (w *world) hook(name, scope string, actions ...string) drydock.ResourceID {
	w.t.Helper()
	id := w.registry.Child("webhooks", name)
	w.put(id)
	w.hooks = append(w.hooks, drydock.Webhook{ID: id, Enabled: true, Actions: actions, Scope: scope})
	w.target(name, drydock.DeliveryTarget{URL: "https://" + name + ".test/x", Secret: "hush-" + name})
	return id
}

func (w *world) target(name string, t drydock.DeliveryTarget) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.targets[name] = t
}

// Webhooks implements notify.Webhooks.
func (w *world) Webhooks(context.Context, drydock.ResourceID) ([]drydock.Webhook, error) {
	return w.hooks, nil
}

// DeliveryTarget implements notify.Targets.
func (w *world) DeliveryTarget(_ context.Context, owner drydock.ResourceID) (drydock.DeliveryTarget, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, ok := w.targets[owner.Name()]
	if !ok {
		return t, drydock.Errorf(drydock.NotFound, "there is no webhook %s", owner)
	}
	return t, nil
}

// RoundTrip is the other side.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	answer := w.answer
	w.got = append(w.got, sent{time.Now(), r.URL.Host, r.Header, body})
	w.mu.Unlock()
	select {
	case w.arrived <- struct{}{}:
	default:
	}
	if answer != nil {
		return answer(r, body)
	}
	return respond(200, "")
}

func respond(status int, content string, headers ...string) (*http.Response, error) {
	h := http.Header{}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return &http.Response{StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: h, Body: io.NopCloser(strings.NewReader(content))}, nil
}

// setAnswer sets how the other side answers from now on; nil for 200.
func (w *world) setAnswer(f func(r *http.Request, body []byte) (*http.Response, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = f
}

// taken returns what has come so far.
func (w *world) taken() []sent {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]sent(nil), w.got...)
}

// start runs the sender until what it returns is called.
func (w *world) start() (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() { w.sender.Run(ctx); close(done) }()
	return func() { cancel(); <-done }
}

// handle lets the follower handle an event.
func (w *world) handle(kind, id string, data any) {
	w.t.Helper()
	text, err := json.Marshal(data)
	if err != nil {
		w.t.Fatal(err)
	}
	e := drydock.Event{ID: id, Kind: kind, Subject: w.registry, Data: text, Time: time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC)}
	if _, err := w.follower.Handle(w.t.Context(), []drydock.Event{e}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) push(id string) {
	w.t.Helper()
	w.handle(drydock.PushEvent, id, drydock.RegistryEvent{Repository: "hello", Tag: id, Digest: "sha256:1"})
}

// sent returns the messages of a webhook, oldest first: "action state attempts".
func (w *world) sent(owner drydock.ResourceID) []string {
	w.t.Helper()
	all, err := w.follower.Outbox.Sent(w.t.Context(), owner, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	var texts []string
	for i := len(all) - 1; i >= 0; i-- {
		d := all[i]
		var m struct {
			Target struct{ Tag string }
		}
		if err := json.Unmarshal(d.Body, &m); err != nil {
			w.t.Fatal(err)
		}
		state := "waits"
		if !d.Taken.IsZero() {
			state = "taken"
		} else if d.Next.IsZero() {
			state = "given up"
		}
		texts = append(texts, fmt.Sprintf("%s %s %s %d", d.Action, m.Target.Tag, state, d.Attempts))
	}
	return texts
}

// signed is the signature of a message, as it stands in its header.
func signed(secret string, body []byte) string { return "sha256=" + hook.Signature(secret, body) }
