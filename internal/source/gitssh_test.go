package source_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/drydockhq/drydock"
)

// sshServer is a host that takes one key. Nobody gets further than that.
type sshServer struct {
	port     string
	known    string // a file for known_hosts
	identity string // a file with a key that it does not take
}

func newSSHServer(t *testing.T) *sshServer {
	t.Helper()
	dir := t.TempDir()
	s := &sshServer{known: filepath.Join(dir, "known_hosts"), identity: filepath.Join(dir, "id")}
	_, hostKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	host, err := ssh.NewSignerFromKey(hostKey)
	if err != nil {
		t.Fatal(err)
	}
	_, userKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(userKey, "")
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
		return nil, drydock.Errorf(drydock.Denied, "no key is good enough")
	}}
	config.AddHostKey(host)
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
				_, _, _, _ = ssh.NewServerConn(conn, config) // it is never let in
				conn.Close()
			}()
		}
	}()
	_, s.port, _ = net.SplitHostPort(listener.Addr().String())
	line := append([]byte("[127.0.0.1]:"+s.port+" "), ssh.MarshalAuthorizedKey(host.PublicKey())...)
	for name, text := range map[string][]byte{s.known: line, s.identity: pem.EncodeToMemory(block)} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// command is ssh without anybody's configuration.
func (s *sshServer) command(known string) string {
	return "GIT_SSH_COMMAND=ssh -F /dev/null -o BatchMode=yes -o IdentityAgent=none -o IdentitiesOnly=yes -o GlobalKnownHostsFile=/dev/null -o UserKnownHostsFile=" +
		known + " -i " + s.identity
}

// What ssh says is wrong is in the error, with what to do about it.
func TestGitOverSSHFails(t *testing.T) {
	t.Parallel()
	s := newSSHServer(t)
	other, err := os.ReadFile(newSSHServer(t).known)
	if err != nil {
		t.Fatal(err)
	}
	changed := filepath.Join(t.TempDir(), "changed")
	_, key, _ := bytes.Cut(other, []byte(" "))
	if err := os.WriteFile(changed, append([]byte("[127.0.0.1]:"+s.port+" "), key...), 0o600); err != nil {
		t.Fatal(err)
	}
	here := "ssh://git@127.0.0.1:" + s.port + "/x.git"
	for name, test := range map[string]struct {
		spec, env, said, hint string
		code                  drydock.Code
	}{
		"unknown name":     {"git@nowhere.invalid:x.git", s.command(s.known), "nowhere.invalid", "DNS", drydock.Unavailable},
		"nobody listens":   {"ssh://git@127.0.0.1:1/x.git", s.command(s.known), "onnection refused", "another port", drydock.Unavailable},
		"unknown host key": {here, s.command("/dev/null"), "Host key verification failed", "ssh-keyscan", drydock.Denied},
		"other host key":   {here, s.command(changed), "IDENTIFICATION HAS CHANGED", "ssh-keygen -R", drydock.Denied},
		"no key":           {here, s.command(s.known), "Permission denied (publickey)", "$SSH_AUTH_SOCK", drydock.Denied},
		"no ssh":           {"git@127.0.0.1:x.git", "GIT_SSH_COMMAND=/nonexistent/ssh", "nonexistent/ssh: ", "not installed", drydock.Unavailable},
	} {
		for _, enclosed := range []bool{false, true} {
			t.Run(name+map[bool]string{true: " enclosed"}[enclosed], func(t *testing.T) {
				t.Parallel()
				f := newFetcher(t)
				f.Env = append(f.Env, test.env)
				if enclosed {
					f.enclose(thisMachine)
				}
				e := f.refused(test.spec, test.said)
				if strings.Contains(e.Message, "UNKNOWN port") {
					t.Errorf("it says what nobody understands: %v", e)
				}
				if e.Code != test.code || !strings.Contains(e.Hint, test.hint) {
					t.Errorf("code %s, hint %q: %v", e.Code, e.Hint, e)
				}
			})
		}
	}
}

// The proxy of an enclosure knows more than what git prints of its answer.
func TestEnclosedReasons(t *testing.T) {
	t.Parallel()
	f := newFetcher(t)
	f.enclose(thisMachine)
	if e := f.refused("https://nowhere.invalid/x.git", "lookup nowhere.invalid"); !strings.Contains(e.Hint, "DNS") {
		t.Errorf("%+v", e)
	}
	f.refused("http://127.0.0.1:1/x.git", "connection refused")
}
