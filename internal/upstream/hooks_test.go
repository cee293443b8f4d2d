package upstream_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/upstream"
)

const (
	hookSecret = "hush-hook"
	pushed     = `{"push_data": {"tag": "15"}, "repository": {"repo_name": "library/node"}}`
)

// receiver is a server with the hooks of the registry contoso.
type receiver struct {
	url string

	mu    sync.Mutex
	hints []upstream.Hint
	now   time.Time
	log   bytes.Buffer
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{now: time.Unix(1_800_000_000, 0)}
	mux := http.NewServeMux()
	mux.Handle(upstream.Pattern, &upstream.Hooks{
		Secret: func(_ context.Context, registry string) (string, error) {
			switch registry {
			case "contoso":
				return hookSecret, nil
			case "broken":
				return "", drydock.Errorf(drydock.Unavailable, "the disk is away")
			}
			return "", drydock.Errorf(drydock.NotFound, "there is no registry %s", registry)
		},
		Hint: func(h upstream.Hint) int {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.hints = append(r.hints, h)
			return 1
		},
		Log: slog.New(slog.NewTextHandler(&r.log, nil)),
		Now: func() time.Time {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.now
		},
	})
	s := httptest.NewServer(mux)
	t.Cleanup(func() {
		s.Close()
		if strings.Contains(r.log.String(), hookSecret) {
			t.Error("the secret is in the log")
		}
	})
	r.url = s.URL + "/hooks/registry/"
	return r
}

// taken returns the hints so far.
func (r *receiver) taken() []upstream.Hint {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.hints)
}

// deliver posts a body and returns the status of the answer.
func (r *receiver) deliver(t *testing.T, path, body string, header http.Header) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != nil || strings.Contains(string(text), hookSecret) {
		t.Errorf("answer %q, error %v", text, err)
	}
	return resp.StatusCode
}

func signature(body, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func TestWhoMayDeliver(t *testing.T) {
	t.Parallel()
	basic := func(password string) http.Header {
		r := &http.Request{Header: http.Header{}}
		r.SetBasicAuth("anybody", password)
		return r.Header
	}
	for what, c := range map[string]struct {
		path   string
		header http.Header
		want   int
	}{
		"bearer":              {"contoso", http.Header{"Authorization": {"Bearer " + hookSecret}}, 200},
		"bare":                {"contoso", http.Header{"Authorization": {hookSecret}}, 200},
		"password":            {"contoso", basic(hookSecret), 200},
		"in the URL":          {"contoso?token=" + hookSecret, nil, 200},
		"signed":              {"contoso", http.Header{"X-Hub-Signature-256": {signature(pushed, hookSecret)}}, 200},
		"nothing":             {"contoso", nil, 401},
		"wrong bearer":        {"contoso", http.Header{"Authorization": {"Bearer guess"}}, 401},
		"empty bearer":        {"contoso", http.Header{"Authorization": {"Bearer "}}, 401},
		"wrong password":      {"contoso", basic("guess"), 401},
		"empty password":      {"contoso", basic(""), 401},
		"wrong in the URL":    {"contoso?token=guess", nil, 401},
		"signed with a guess": {"contoso", http.Header{"X-Hub-Signature-256": {signature(pushed, "guess")}}, 401},
		"signed with nothing": {"contoso", http.Header{"X-Hub-Signature-256": {signature(pushed, "")}}, 401},
		"signed elsewhere":    {"contoso", http.Header{"X-Hub-Signature-256": {signature(pushed+" ", hookSecret)}}, 401},
		"half a signature":    {"contoso", http.Header{"X-Hub-Signature-256": {signature(pushed, hookSecret)[:40]}}, 401},
		"another's":           {"fabrikam", http.Header{"Authorization": {"Bearer " + hookSecret}}, 401},
		"nobody's":            {"fabrikam", http.Header{"X-Hub-Signature-256": {signature(pushed, "")}}, 401},
		"out of order":        {"broken", http.Header{"Authorization": {"Bearer " + hookSecret}}, 503},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t)
			if got := r.deliver(t, c.path, pushed, c.header); got != c.want {
				t.Errorf("status %d, want %d", got, c.want)
			}
			if got := len(r.taken()); got != 0 != (c.want == 200) {
				t.Errorf("%d hints", got)
			}
		})
	}
}

// Strangers can't fill the log.
func TestRefusalsAreLoggedNowAndThen(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	wrong := http.Header{"X-Hub-Signature-256": {signature(pushed, "guess")}}
	for range 2 {
		for range 10 {
			r.deliver(t, "contoso", pushed, nil)
			r.deliver(t, "fabrikam?token=guess", pushed, nil)
			r.deliver(t, "contoso", pushed, wrong)
		}
		r.mu.Lock()
		r.now = r.now.Add(time.Minute)
		r.mu.Unlock()
	}
	r.deliver(t, "contoso", pushed, wrong)
	log := r.log.String()
	if strings.Count(log, "WARN") != 3 || !strings.Contains(log, "others=0") || strings.Count(log, "others=29") != 2 || !strings.Contains(log, "wrong signature") {
		t.Error(log)
	}
}

func TestDeliveredTwice(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	for range 2 {
		if got := r.deliver(t, "contoso?token="+hookSecret, pushed, nil); got != 200 {
			t.Fatal(got)
		}
	}
	want := upstream.Hint{Host: "docker.io", Repository: "library/node", Tag: "15"}
	if got := r.taken(); len(got) != 2 || got[0] != want || got[1] != want { // a hint that comes twice does no more than once
		t.Errorf("%+v", got)
	}
}

func TestGitHubForm(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	bodies, _ := deliveries(t)
	form := url.Values{"payload": {string(bodies["ghcr+package"])}}.Encode()
	got := r.deliver(t, "contoso", form, http.Header{
		"X-Hub-Signature-256": {signature(form, hookSecret)}, "X-Github-Event": {"package"},
		"Content-Type": {"application/x-www-form-urlencoded"},
	})
	if hints := r.taken(); got != 200 || len(hints) != 1 || hints[0].Tag != "v1" {
		t.Errorf("status %d, hints %+v", got, hints)
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	if got := r.deliver(t, "contoso?token="+hookSecret, "not JSON", nil); got != 400 {
		t.Errorf("status %d", got)
	}
	if got := r.deliver(t, "contoso?token="+hookSecret, `{"test": true}`, nil); got != 200 {
		t.Errorf("of a test delivery: status %d", got)
	}
	resp, err := http.Get(r.url + "contoso?token=" + hookSecret)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: status %d", resp.StatusCode)
	}
}

// A delivery of 10 MB is refused, one that says so before its first byte.
func TestLongDeliveries(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	long := `{"push_data": "` + strings.Repeat("x", 10<<20) + `"}`
	u, err := url.Parse(r.url)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = io.WriteString(conn, "POST /hooks/registry/contoso?token="+hookSecret+" HTTP/1.1\r\nHost: a\r\nContent-Length: 10485760\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	// Nothing of the body is sent: the answer doesn't wait for it.
	answer := make([]byte, 12)
	if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "HTTP/1.1 413" {
		t.Errorf("%s, error %v", answer, err)
	}
	// One that doesn't say how long it is is read as far as it may be.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"contoso?token="+hookSecret, io.MultiReader(strings.NewReader(long)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err == nil { // or the connection was closed while it was sent
		resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("status %d", resp.StatusCode)
		}
	}
	if hints := r.taken(); len(hints) != 0 {
		t.Errorf("%+v", hints)
	}
}
