package serve_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drydockhq/drydock/test/serve"
)

// insider is a service that is for this machine only. It counts who asks it.
func insider(t *testing.T) (url string, asked *atomic.Int32) {
	t.Helper()
	asked = &atomic.Int32{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("X-Inside", "hush-header")
		fmt.Fprint(w, "hush-body")
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

// outOfReach is a server on a machine that knows names for addresses of its own.
func outOfReach(t *testing.T, closed bool) (*serve.Server, *serve.Client) {
	t.Helper()
	m := serve.NewMachine(t)
	f, err := os.OpenFile(m.Path("/etc/hosts"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString("\n127.0.0.1 here.example\n::1 six.example\n::ffff:127.0.0.1 mapped.example\n169.254.169.254 metadata.example\n")
	if closeErr := f.Close(); err != nil || closeErr != nil {
		t.Fatal(err, closeErr)
	}
	s := serve.Start(t, serve.Options{Domain: serve.LocalDomain, Machine: m, Closed: closed})
	c := s.Client(serve.Client{})
	c.Must("group", "create", "-n", "demo", "-l", "local")
	c.Must("acr", "create", "-n", "contoso", "-g", "demo", "--sku", "Basic")
	return s, c
}

// pinged makes a webhook, pings it, and returns what is shown of it when the
// first attempt is over.
func pinged(t *testing.T, c *serve.Client, name, uri string) string {
	t.Helper()
	c.Must("acr", "webhook", "create", "-r", "contoso", "-n", name, "--uri", uri, "--actions", "push")
	c.Must("acr", "webhook", "ping", "-r", "contoso", "-n", name)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		shown := c.Must("acr", "webhook", "list-events", "-r", "contoso", "-n", name)
		var events []struct{ Attempts int }
		if err := json.Unmarshal([]byte(shown), &events); err != nil {
			t.Fatal(err)
		}
		if len(events) == 1 && events[0].Attempts > 0 {
			return shown
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: the ping is not sent: %s", uri, shown)
		}
	}
}

// A webhook reaches neither the server's machine, nor what hands out credentials,
// nor the server itself: not by addresses, which are refused when it is made, and
// not by names, which are refused when they turn out to be such.
func TestWebhooksOutOfReach(t *testing.T) {
	t.Parallel()
	inside, asked := insider(t)
	s, c := outOfReach(t, true)
	_, port, _ := strings.Cut(strings.TrimPrefix(inside, "http://"), ":")
	for i, uri := range []string{
		inside, "http://localhost:" + port, "http://LocalHost.:" + port, "http://a.localhost:" + port, "http://[::1]:" + port, "http://127.9.9.9:" + port,
		"http://[::ffff:127.0.0.1]:" + port, "http://[64:ff9b::7f00:1]:" + port, "http://0.0.0.0:" + port, "http://[::]:" + port,
		"http://169.254.169.254/latest/meta-data", "http://[::ffff:169.254.169.254]/", "http://[fe80::1]/", "http://[fd00:ec2::254]/", "http://168.63.129.16/",
		"https://127.0.0.1:" + s.Port, "https://[::ffff:127.0.0.1]:" + s.Port, "https://localhost:" + s.Port,
		"https://" + s.Host("management") + "/subscriptions", "https://" + strings.ToUpper(s.Host("login")), "https://" + s.LoginServer("contoso") + "/v2/",
	} {
		_, said, status := c.Run("acr", "webhook", "create", "-r", "contoso", "-n", fmt.Sprintf("hook%02d", i), "--uri", uri, "--actions", "push")
		if status == 0 || !strings.Contains(said, "(InvalidServiceUri)") || !strings.Contains(said, "nothing is sent to its") {
			t.Errorf("%s: exit status %d: %s", uri, status, said)
		}
	}
	for name, uri := range map[string]string{
		"loopback": "http://here.example:" + port, "ipv6addr": "http://six.example:" + port, "mapped": "http://mapped.example:" + port,
		"metadata": "http://metadata.example/latest", "itself": "https://here.example:" + s.Port + "/subscriptions",
	} {
		if shown := pinged(t, c, name, uri); !strings.Contains(shown, "nothing is sent to this address") || strings.Contains(shown, "statusCode") {
			t.Errorf("%s: %s", uri, shown)
		}
	}
	if asked.Load() > 0 {
		t.Error("what is for this machine only was asked")
	}
}

// What the operator has opened of the machine is told, and not read; nobody is
// sent elsewhere by it, and the server itself is closed still.
func TestWebhooksToThisMachine(t *testing.T) {
	t.Parallel()
	inside, asked := insider(t)
	s, c := outOfReach(t, false)
	if shown := pinged(t, c, "opened", inside); !strings.Contains(shown, `"statusCode": "200"`) || strings.Contains(shown, "hush") || asked.Load() != 1 {
		t.Errorf("it was asked %d times: %s", asked.Load(), shown)
	}
	for name, to := range map[string]string{
		"inside": inside, "metadata": "http://169.254.169.254/latest", "itself": "https://127.0.0.1:" + s.Port + "/healthz",
	} {
		redirect := httptest.NewServer(http.RedirectHandler(to, http.StatusTemporaryRedirect))
		t.Cleanup(redirect.Close)
		if shown := pinged(t, c, name, redirect.URL); !strings.Contains(shown, `"statusCode": "307"`) || strings.Contains(shown, "hush") {
			t.Errorf("sent to %s: %s", to, shown)
		}
	}
	if asked.Load() != 1 {
		t.Error("a redirect was followed")
	}
	for name, uri := range map[string]string{"byname": "https://here.example:" + s.Port, "mapped": "http://mapped.example:" + s.Port + "/hooks/git/x"} {
		if shown := pinged(t, c, name, uri); !strings.Contains(shown, "this server itself: nothing is sent to this address") {
			t.Errorf("%s: %s", uri, shown)
		}
	}
	if _, said, status := c.Run("acr", "webhook", "create", "-r", "contoso", "-n", "listener", "--uri", "https://127.0.0.1:"+s.Port, "--actions", "push"); status == 0 || !strings.Contains(said, "this server itself") {
		t.Errorf("exit status %d: %s", status, said)
	}
}
