package cli_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/arm/armtest"
)

// domain is one below localhost, which the client finds without a resolver.
const domain = "drydock.localhost"

// site is a real resource manager and authority behind the hosts of a server,
// with blobs and registries that are fakes. Runs end as soon as they are queued.
type site struct {
	*armtest.Site
	port  string
	ca    []byte // PEM
	blobs *blobs
	repos *registries

	signIns atomic.Int64 // requests to the authority
	lost    atomic.Bool  // whether all connections break

	typist atomic.Pointer[[2]string] // name and password of who enters the next code

	mu       sync.Mutex
	ending   ending
	requests []string // bodies of scheduleRun
}

// ending is how runs end.
type ending struct {
	status drydock.RunStatus
	log    string
	result string
}

func startSite(t testing.TB) *site {
	t.Helper()
	s := &site{
		blobs: newBlobs(), repos: &registries{},
		ending: ending{status: drydock.RunSucceeded, log: "2026/11/21 08:00:00 Building\r\ndone\r\n"},
	}
	front := httptest.NewUnstartedServer(s)
	var err error
	if _, s.port, err = net.SplitHostPort(front.Listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	s.Site = armtest.Start(t, "https://"+s.host("graph"))
	front.TLS = &tls.Config{Certificates: []tls.Certificate{s.certificate(t)}}
	front.StartTLS()
	t.Cleanup(front.Close)
	return s
}

// certificate makes one for all hosts of the site.
func (s *site) certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		DNSNames: []string{"*." + domain, "*.azurecr." + domain, "*.blob." + domain},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	s.ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (s *site) host(name string) string { return name + "." + domain + ":" + s.port }

// ServeHTTP implements http.Handler.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, _, _ := strings.Cut(r.Host, "."+domain)
	switch {
	case s.lost.Load():
		panic(http.ErrAbortHandler)
	case r.URL.Path == "/metadata/endpoints":
		json.NewEncoder(w).Encode(map[string]any{
			"authentication":           map[string]any{"loginEndpoint": "https://" + s.host("login") + "/adfs", "audiences": []string{s.URL + "/"}},
			"microsoftGraphResourceId": "https://" + s.host("graph") + "/",
			"suffixes":                 map[string]any{"acrLoginServer": s.host("azurecr"), "keyVaultDns": s.host("vault"), "storage": domain + ":" + s.port},
		})
	case name == "management":
		s.manage(w, r)
	case name == "graph":
		s.Graph.ServeHTTP(w, r)
	case name == "login":
		s.signIns.Add(1)
		s.authorize(w, r)
	case strings.HasSuffix(name, ".blob"):
		s.blobs.ServeHTTP(w, r)
	case strings.HasSuffix(name, ".azurecr"):
		s.repos.ServeHTTP(w, r)
	default:
		http.NotFound(w, r)
	}
}

// authorize asks the authority. Whoever types enters the codes that it gives out.
func (s *site) authorize(w http.ResponseWriter, r *http.Request) {
	typist := s.typist.Load()
	if typist == nil || !strings.HasSuffix(r.URL.Path, "/devicecode") {
		s.Authority.Handler().ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	s.Authority.Handler().ServeHTTP(answer, r)
	var code struct {
		UserCode string `json:"user_code"`
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &code); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	form := url.Values{"user_code": {code.UserCode}, "login": {typist[0]}, "password": {typist[1]}}
	post := httptest.NewRequestWithContext(r.Context(), http.MethodPost, "https://"+r.Host+"/device", strings.NewReader(form.Encode()))
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	page := httptest.NewRecorder()
	s.Authority.Handler().ServeHTTP(page, post)
	if page.Code != http.StatusOK {
		http.Error(w, page.Body.String(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(answer.Body.Bytes())
}

// manage asks the resource manager. The blobs that it tells of are ours.
func (s *site) manage(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	s.Server.ServeHTTP(answer, r)
	text := strings.NewReplacer("account.blob.test", s.host("account.blob"), armtest.RegistryDomain, s.host("azurecr")).Replace(answer.Body.String())
	if (strings.HasSuffix(r.URL.Path, "/scheduleRun") || strings.HasSuffix(r.URL.Path, "/rerun")) && answer.Code == http.StatusOK {
		if err := s.end(r, string(body), text); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	for key, values := range answer.Header() {
		w.Header()[key] = values
	}
	w.Header().Del("Content-Length")
	w.WriteHeader(answer.Code)
	io.WriteString(w, text)
}

// end ends the run that was just queued.
func (s *site) end(r *http.Request, request, answer string) error {
	var run struct {
		Properties struct{ RunID string }
	}
	if err := json.Unmarshal([]byte(answer), &run); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, request)
	if s.ending.status == "" {
		return nil
	}
	path, _, _ := strings.Cut(strings.TrimSuffix(r.URL.Path, "/scheduleRun"), "/runs/")
	id, err := drydock.ParseResourceID(path)
	if err != nil {
		return err
	}
	s.blobs.endLog(id.Name(), run.Properties.RunID, s.ending)
	_, err = s.Queue.End(r.Context(), id, run.Properties.RunID, s.ending.status, s.ending.result)
	return err
}

// lastRequest returns the body with which the newest run was asked for.
func (s *site) lastRequest() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.requests) == 0 {
		return ""
	}
	return s.requests[len(s.requests)-1]
}
