package source_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/source/egress"
)

// TestMain lets the test program be the one with which ssh connects.
func TestMain(m *testing.M) {
	if len(os.Args) != 4 || os.Args[1] != "connect" {
		os.Exit(m.Run())
	}
	err := egress.Connect(context.Background(), os.Getenv(egress.AddressVariable), net.JoinHostPort(os.Args[2], os.Args[3]), os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// enclose lets a fetcher reach what a server lets its runs reach.
func (f *fetcher) enclose(allow ...string) {
	f.t.Helper()
	var o egress.Options
	for _, a := range allow {
		o.Policy.Allow = append(o.Policy.Allow, netip.MustParsePrefix(a))
	}
	n := egress.New(o)
	f.t.Cleanup(n.CloseIdleConnections)
	f.HTTP, f.Enclose = n.Client(), n.Enclose
	var err error
	if f.Connect, err = os.Executable(); err != nil {
		f.t.Fatal(err)
	}
}

const thisMachine = "127.0.0.1/32"

// wantDenied fetches a source that the policy keeps from.
func (f *fetcher) wantDenied(spec, address string) {
	f.t.Helper()
	if e := f.refused(spec, "runs may not reach "+address); e.Code != drydock.Denied {
		f.t.Errorf("%s: %+v", spec, e)
	}
}

func TestEnclosedGit(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	address := h.serve("s3cret")
	withUser := strings.Replace(address, "://", "://user:s3cret@", 1)
	open := newFetcher(t)
	open.enclose(thisMachine)
	if got := open.fetch(withUser); got.Commit != h.second {
		t.Errorf("commit %s", got.Commit)
	}
	if got := open.fetch(h.url()); got.Commit != h.second {
		t.Errorf("a repository of this machine: commit %s", got.Commit)
	}
	if e := open.refused(address, "asking "); e.Code != drydock.Denied || !strings.Contains(e.Hint, "token") {
		t.Errorf("without credentials: %+v", e)
	}
	closed := newFetcher(t)
	closed.enclose()
	closed.wantDenied(withUser, "127.0.0.1")
	closed.wantDenied(strings.Replace(withUser, "127.0.0.1", "localhost", 1), "")
	for spec, address := range map[string]string{
		"http://169.254.169.254/x.git": "169.254.169.254", "https://169.254.169.254/x.git": "169.254.169.254",
		"http://[fd00:ec2::254]/x.git": "fd00:ec2::254",
		"git@169.254.169.254:x.git":    "169.254.169.254", "ssh://git@169.254.169.254/x.git": "169.254.169.254",
		"https://１６９.２５４.１６９.２５４/x.git": "169.254.169.254", "ssh://git@１６９.２５４.１６９.２５４/x.git": "169.254.169.254",
	} {
		open.wantDenied(spec, address)
	}
	if e := open.refused("git://git.example/x.git", "transport 'git' not allowed"); e.Code != drydock.Denied {
		t.Errorf("%+v", e)
	}
}

// Neither a redirect nor a submodule leads where the policy does not.
func TestEnclosedGitIsNotLedAstray(t *testing.T) {
	t.Parallel()
	redirect := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		http.Redirect(w, q, "http://169.254.169.254"+q.URL.RequestURI(), http.StatusMovedPermanently)
	}))
	t.Cleanup(redirect.Close)
	r := newRepo(t)
	write(t, filepath.Join(r.dir, ".gitmodules"), []byte("[submodule \"x\"]\n\tpath = x\n\turl = http://169.254.169.254/x.git\n"))
	head := r.commit("a", "x")
	r.git("update-index", "--add", "--cacheinfo", "160000,"+head+",x")
	r.git("commit", "--quiet", "--message", "submodule")
	f := newFetcher(t)
	f.enclose(thisMachine)
	f.wantDenied(redirect.URL+"/x.git", "169.254.169.254")
	f.wantDenied(redirect.URL+"/x.tar.gz", "169.254.169.254")
	f.wantDenied(r.serve(""), "169.254.169.254")
	f.wantDenied("oci://169.254.169.254/src:v1", "169.254.169.254")
	closed := newFetcher(t)
	closed.enclose()
	closed.wantDenied("oci://127.0.0.1:5000/src:v1", "127.0.0.1")
	closed.wantDenied("https://localhost:1/x.tar.gz", "")
}

// ssh is handed the connection. What stands for it here carries the command of
// its option out, and the other side is git alone.
func TestEnclosedSSH(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				cmd := exec.Command("git", "upload-pack", h.dir)
				cmd.Stdin, cmd.Stdout = conn, conn
				_ = cmd.Run() // the other side says what is wrong
			}()
		}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	script := write(t, filepath.Join(t.TempDir(), "ssh"), []byte(`#!/bin/sh
for arg; do
	case "$arg" in ProxyCommand=*) exec sh -c "$(printf %s "${arg#ProxyCommand=}" | sed 's/%h %p/127.0.0.1 `+port+`/')" ;; esac
done
exit 1
`))
	if err := os.Chmod(script, 0o755); err != nil {
		t.Fatal(err)
	}
	f := newFetcher(t)
	f.Env = append(f.Env, "GIT_SSH_COMMAND="+script)
	f.enclose(thisMachine)
	if got := f.fetch("ssh://git@127.0.0.1:" + port + "/x.git#v1.0"); got.Commit != h.first {
		t.Errorf("commit %s", got.Commit)
	}
	f.enclose()
	f.wantDenied("ssh://git@127.0.0.1:"+port+"/x.git", "127.0.0.1")
}

// git trusts the certificates that the operator has named.
func TestGitWithAPrivateCA(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.git("update-server-info")
	s := httptest.NewTLSServer(http.StripPrefix("/x.git", http.FileServer(http.Dir(h.dir+"/.git"))))
	t.Cleanup(s.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	host := s.Listener.Addr().String()
	for name, c := range map[string]struct {
		cas      map[string][]byte
		insecure []string
		want     bool
	}{
		"unknown":      {},
		"for all":      {cas: map[string][]byte{"": ca}, want: true},
		"for the host": {cas: map[string][]byte{host: ca}, want: true},
		"for another":  {cas: map[string][]byte{"other.example": ca}},
		"insecure":     {insecure: []string{host}, want: true},
	} {
		for _, enclosed := range []bool{false, true} {
			f := newFetcher(t)
			f.CAs, f.Insecure = c.cas, c.insecure
			if enclosed {
				f.enclose(thisMachine)
			}
			if c.want {
				if got := f.fetch(s.URL + "/x.git#main"); got.Commit != h.second {
					t.Errorf("%s: commit %s", name, got.Commit)
				}
			} else {
				f.refused(s.URL+"/x.git#main", "certificate")
			}
		}
	}
}
