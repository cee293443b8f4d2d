package oci_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/oci"
	"github.com/drydockhq/drydock/internal/sqlstore"
)

var group = drydock.ResourceID{Subscription: "0000", Group: "docks"}

func registryID(name string) drydock.ResourceID {
	id := group
	id.Namespace, id.Types, id.Names = "Microsoft.ContainerRegistry", []string{"registries"}, []string{name}
	return id
}

func registryOf(name string) oci.Registry {
	return oci.Registry{ID: registryID(name), LoginServer: name + ".azurecr.test"}
}

// directory knows registries by name; an address of the loopback interface is
// the first one's.
type directory []string

func (d directory) Registry(_ context.Context, name string) (oci.Registry, error) {
	if name == "127" || name == "localhost" {
		name = d[0]
	}
	for _, n := range d {
		if strings.EqualFold(n, name) {
			return registryOf(n), nil
		}
	}
	return oci.Registry{}, drydock.Errorf(drydock.NotFound, "there is no registry %s", name)
}

// fixture is a server with two registries, contoso and fabrikam.
type fixture struct {
	*httptest.Server
	server *oci.Server
	store  *sqlstore.Store
	users  *users
	dir    string
	client *http.Client // reaches every host name at the server
}

// options change what a fixture's server is made of.
type options func(*oci.Options)

func start(t testing.TB, change ...options) *fixture {
	t.Helper()
	return startIn(t, t.TempDir(), change...)
}

// startIn starts a server on the data of a folder, which may be there already.
func startIn(t testing.TB, dir string, change ...options) *fixture {
	t.Helper()
	f := &fixture{users: newUsers(), dir: dir}
	var err error
	if f.store, err = sqlstore.Open(t.Context(), filepath.Join(dir, "drydock.db")); err != nil {
		t.Fatal(err)
	}
	d := directory{"contoso", "fabrikam"}
	for _, id := range []drydock.ResourceID{group, registryID("contoso"), registryID("fabrikam")} {
		if _, err := f.store.PutResource(t.Context(), drydock.Resource{ID: id}, ""); err != nil {
			t.Fatal(err)
		}
	}
	o := oci.Options{
		Directory: d, Authorizer: f.users, Store: f.store,
		Storage: oci.Storage{Root: filepath.Join(dir, "registries")},
		Secret:  []byte("a secret of upload sessions"),
		Log:     slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelError})),
	}
	for _, c := range change {
		c(&o)
	}
	f.server = oci.New(o)
	f.Server = httptest.NewTLSServer(f.server)
	address := f.Listener.Addr().String()
	transport := f.Server.Client().Transport.(*http.Transport).Clone()
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	transport.TLSClientConfig.ServerName = "example.com" // what httptest's certificate is for
	f.client = &http.Client{Transport: transport}
	t.Cleanup(func() { f.stop(t) })
	return f
}

// stop ends a fixture's server; more than once is once.
func (f *fixture) stop(t testing.TB) {
	if f.store == nil {
		return
	}
	f.client.CloseIdleConnections()
	f.Server.Close()
	if err := f.server.Close(); err != nil {
		t.Error(err)
	}
	if err := f.store.Close(); err != nil {
		t.Error(err)
	}
	f.store = nil
}

// testLog is where a server's log goes in a test.
type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// answer is a response with its body.
type answer struct {
	*http.Response
	body []byte
}

// request is what do sends. Its zero fields are left out.
type request struct {
	method string // GET
	host   string // contoso.azurecr.test
	path   string // with the query; or a whole URL
	user   string // with Basic credentials; "-" for none; "" is the owner
	token  string
	header map[string]string
	body   []byte
}

// do sends a request.
func (f *fixture) do(t testing.TB, q request) answer {
	t.Helper()
	host, method := "contoso.azurecr.test", http.MethodGet
	if q.host != "" {
		host = q.host
	}
	if q.method != "" {
		method = q.method
	}
	url := q.path
	if strings.HasPrefix(url, "/") {
		url = "https://" + host + url
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case q.token != "":
		r.Header.Set("Authorization", "Bearer "+q.token)
	case q.user == "":
		r.SetBasicAuth("owner", "o")
	case q.user != "-":
		r.SetBasicAuth(q.user, f.users.passwords[q.user])
	}
	for name, value := range q.header {
		r.Header.Set(name, value)
	}
	response, err := f.client.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return answer{response, body}
}

// want checks the status of an answer and the code of the error in it.
func (a answer) want(t testing.TB, status int, code ...string) answer {
	t.Helper()
	what := a.Request.Method + " " + a.Request.URL.String()
	if a.StatusCode != status {
		t.Fatalf("%s: status %d, want %d; %s", what, a.StatusCode, status, a.body)
	}
	if len(code) == 0 {
		return a
	}
	var body struct {
		Errors []struct{ Code, Message string }
	}
	if err := json.Unmarshal(a.body, &body); err != nil || len(body.Errors) != 1 ||
		body.Errors[0].Code != code[0] || body.Errors[0].Message == "" {
		t.Fatalf("%s: body %s (%v), want one error with code %s", what, a.body, err, code[0])
	}
	return a
}

// decode reads the JSON of an answer.
func (a answer) decode(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%s: %v in %s", a.Request.URL, err, a.body)
	}
}

// pushBlob uploads a blob and returns its digest.
func (f *fixture) pushBlob(t testing.TB, repository string, content []byte) digest.Digest {
	t.Helper()
	return f.pushBlobTo(t, "", repository, content)
}

func (f *fixture) pushBlobTo(t testing.TB, host, repository string, content []byte) digest.Digest {
	t.Helper()
	d := digest.FromBytes(content)
	begun := f.do(t, request{method: http.MethodPost, host: host, path: "/v2/" + repository + "/blobs/uploads/"}).want(t, 202)
	f.do(t, request{
		method: http.MethodPut, host: host, path: begun.Header.Get("Location") + "&digest=" + d.String(), body: content,
	}).want(t, 201)
	return d
}

const (
	ociManifest = "application/vnd.oci.image.manifest.v1+json"
	ociIndex    = "application/vnd.oci.image.index.v1+json"
	ociConfig   = "application/vnd.oci.image.config.v1+json"
	ociLayer    = "application/vnd.oci.image.layer.v1.tar"
)

type object = map[string]any

func descriptorOf(mediaType string, content []byte) object {
	return object{"mediaType": mediaType, "digest": digest.FromBytes(content).String(), "size": len(content)}
}

// imageManifest uploads the blobs of a small image that seed makes different
// from others, and returns its manifest. more is merged into the manifest.
func (f *fixture) imageManifest(t testing.TB, repository, seed string, more object) []byte {
	t.Helper()
	config := []byte(fmt.Sprintf(`{"os":"linux","architecture":"amd64","seed":%q}`, seed))
	layer := []byte("layer of " + seed)
	f.pushBlob(t, repository, config)
	f.pushBlob(t, repository, layer)
	m := object{
		"schemaVersion": 2, "mediaType": ociManifest,
		"config": descriptorOf(ociConfig, config), "layers": []object{descriptorOf(ociLayer, layer)},
	}
	for name, value := range more {
		m[name] = value
	}
	return marshal(t, m)
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// put pushes a manifest by a tag or its digest.
func (f *fixture) put(t testing.TB, repository, reference, mediaType string, content []byte) answer {
	t.Helper()
	return f.do(t, request{
		method: http.MethodPut, path: "/v2/" + repository + "/manifests/" + reference,
		header: map[string]string{"Content-Type": mediaType}, body: content,
	})
}

// pushImage pushes a small image and returns the digest of its manifest.
func (f *fixture) pushImage(t testing.TB, repository, tag string) digest.Digest {
	t.Helper()
	content := f.imageManifest(t, repository, repository+":"+tag, nil)
	f.put(t, repository, tag, ociManifest, content).want(t, 201)
	return digest.FromBytes(content)
}

// events returns the events about registries so far.
func (f *fixture) events(t testing.TB) []string {
	t.Helper()
	all, err := f.store.Events(t.Context(), 0, 10000)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, e := range all {
		var data drydock.RegistryEvent
		if err := json.Unmarshal(e.Data, &data); err != nil {
			t.Fatal(err)
		}
		text := e.Subject.Name() + " " + e.Kind + " " + data.Repository
		if data.Tag != "" {
			text += ":" + data.Tag
		}
		if time.Since(e.Time) > time.Hour || data.Digest == "" || data.Actor == "" || data.MediaType == "" || data.Size == 0 {
			t.Errorf("the event lacks something: %+v %s", e, e.Data)
		}
		texts = append(texts, text)
	}
	return texts
}
