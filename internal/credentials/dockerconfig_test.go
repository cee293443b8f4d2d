package credentials_test

import (
	"context"
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/credentials"
)

// home is a user's folder with a Docker configuration and credential helpers.
type home struct {
	t   *testing.T
	dir string
}

func newHome(t *testing.T, config string) home {
	t.Helper()
	h := home{t, t.TempDir()}
	for dir := h.dir; len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil { // helpers of other users live here
			t.Fatal(err)
		}
	}
	if config != "" {
		h.write(".docker/config.json", config, 0o644)
	}
	return h
}

func (h home) write(name, text string, mode os.FileMode) {
	h.t.Helper()
	path := filepath.Join(h.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		h.t.Fatal(err)
	}
}

// helper adds a credential helper that is a shell script.
func (h home) helper(name, script string) {
	h.write("bin/docker-credential-"+name, "#!/bin/sh\n"+script, 0o755)
}

func (h home) env(more ...string) []string {
	return append([]string{"HOME=" + h.dir, "PATH=" + h.dir + "/bin:/usr/bin:/bin"}, more...)
}

func (h home) keychain(more ...string) credentials.Keychain {
	h.t.Helper()
	k, err := credentials.DockerConfig(credentials.Environment{Env: h.env(more...), EUID: 1000})
	if err != nil {
		h.t.Fatal(err)
	}
	return k
}

func TestDockerConfig(t *testing.T) {
	t.Parallel()
	h := newHome(t, `{"auths":{
		"https://index.docker.io/v1/":{"auth":"aHViOnA6dw=="},
		"r.io":{"auth":"dTpzdHJvbmc="},
		"https://r.io/v2/":{"auth":"dTp3ZWFr"},
		"https://url.io":{"auth":"dTp3ZWFr"},
		"t.io":{"auth":"MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAwOg==","identitytoken":"refresh"},
		"empty.io":{}}}`)
	k := h.keychain()
	for registry, want := range map[string]string{
		"docker.io": "hub:p:w", "registry-1.docker.io": "hub:p:w", "r.io": "u:strong", "url.io": "u:weak",
		"t.io": ":refresh", "empty.io": "-", "other.io": "-",
	} {
		if got := lookup(t, k, registry); got != want {
			t.Errorf("%s: %s, want %s", registry, got, want)
		}
	}
}

func TestDockerConfigPlaces(t *testing.T) {
	t.Parallel()
	h := newHome(t, `{"auths":{"r.io":{"auth":"dTpob21l"}}}`)
	h.write("other/config.json", `{"auths":{"r.io":{"auth":"dTpvdGhlcg=="}}}`, 0o600)
	if got := lookup(t, h.keychain("DOCKER_CONFIG="+h.dir+"/other"), "r.io"); got != "u:other" {
		t.Errorf("DOCKER_CONFIG: %s", got)
	}
	if got := lookup(t, h.keychain("DOCKER_CONFIG="+h.dir+"/none"), "r.io"); got != "-" {
		t.Errorf("DOCKER_CONFIG without a file: %s", got)
	}
	k := h.keychain(`DOCKER_AUTH_CONFIG={"auths":{"v.io":{"auth":"dTplbnY="}}}`)
	if got := lookup(t, k, "v.io") + lookup(t, k, "r.io"); got != "u:envu:home" {
		t.Errorf("DOCKER_AUTH_CONFIG: %s", got)
	}
	if got := lookup(t, newHome(t, "").keychain(), "r.io"); got != "-" {
		t.Errorf("without a configuration: %s", got)
	}
}

func TestDockerConfigHelpers(t *testing.T) {
	t.Parallel()
	h := newHome(t, `{"credsStore":"all","credHelpers":{"special.io":"one","https://index.docker.io/v1/":"one"},
		"auths":{"file.io":{"auth":"dTpmaWxl"}}}`)
	h.helper("all", `read -r server; case "$1 $server" in
"get r.io") echo '{"ServerURL":"r.io","Username":"u","Secret":"all"}';;
"get t.io") echo '{"Username":"<token>","Secret":"refresh"}';;
*) echo "credentials not found in native keychain"; exit 1;; esac`)
	h.helper("one", `read -r server; echo "{\"Username\":\"$server\",\"Secret\":\"one\"}"`)
	k := h.keychain()
	for registry, want := range map[string]string{
		"r.io": "u:all", "t.io": ":refresh", "none.io": "-", "file.io": "u:file", "special.io": "special.io:one",
		"docker.io": "https://index.docker.io/v1/:one",
	} {
		if got := lookup(t, k, registry); got != want {
			t.Errorf("%s: %s, want %s", registry, got, want)
		}
	}
}

func TestDockerConfigFails(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{"auths":{"r.io":{"auth":hush}}}`:       "config.json is not valid JSON at byte",
		`{"auths":{"r.io":{"auth":"!hush!"}}}`:   "config.json has an auth that is not base64 of USER:PASSWORD",
		`{"auths":{"r.io":{"auth":"aHVzaA=="}}}`: "config.json has an auth that is not base64 of USER:PASSWORD",
		`{"auths":{"r.io":{"auth":12345678}}}`:   "that is not of type string",
		`{"credsStore":"missing"}`:               "docker-credential-missing: not found in PATH",
		`{"credsStore":"../../bin/evil"}`:        "a name, not a path",
		`{"credsStore":"fails"}`:                 "asking docker-credential-fails for the credential of r.io: exit status 3",
		`{"credsStore":"garbage"}`:               "its answer is not valid JSON",
		`{"credsStore":"flood"}`:                 "asking docker-credential-flood",
	} {
		h := newHome(t, config)
		h.helper("fails", "echo hush; echo hush >&2; exit 3")
		h.helper("garbage", "echo hush")
		h.helper("flood", "yes hush")
		_, _, err := h.keychain().Lookup(t.Context(), "r.io")
		var userErr *drydock.Error
		switch {
		case !errors.As(err, &userErr) || !strings.Contains(err.Error(), want):
			t.Errorf("%s: %v, want %q", config, err, want)
		case strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "12345678"):
			t.Errorf("%s: the error shows a secret: %v", config, err)
		}
	}
}

func TestHelperIsCancelled(t *testing.T) {
	t.Parallel()
	h := newHome(t, `{"credsStore":"hangs"}`)
	signal := filepath.Join(h.dir, "started")
	if err := syscall.Mkfifo(signal, 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(signal, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	h.helper("hangs", "echo x > "+signal+"; sleep 600 & wait")
	ctx, cancel := context.WithCancelCause(t.Context())
	k, done := h.keychain(), make(chan error)
	go func() {
		_, _, err := k.Lookup(ctx, "r.io")
		done <- err
	}()
	if err := pipe.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := pipe.Read(make([]byte, 1)); err != nil {
		t.Fatalf("the helper did not start: %v", err)
	}
	cause := errors.New("stopped by a test")
	cancel(cause)
	if err := <-done; !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

func TestBehindSudo(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Fatal("this test must run as root: make test does that")
	}
	callers := newHome(t, `{"credHelpers":{"h.io":"who"},"auths":{"r.io":{"auth":"dTpjYWxsZXI="}}}`)
	roots := newHome(t, `{"credHelpers":{"own.io":"who"},"auths":{"r.io":{"auth":"dTpyb290"},"root.io":{"auth":"dTpyb290"}}}`)
	roots.helper("who", `echo "{\"Username\":\"$(id -u) $(id -G)\",\"Secret\":\"$HOME $USER $XDG_RUNTIME_DIR $SUDO_USER\"}"`)
	env := credentials.Environment{
		Env: roots.env("USER=root", "SUDO_USER=ann"),
		LookupUser: func(name string) (*user.User, []string, error) {
			return &user.User{Uid: "65534", Gid: "65534", Username: name, HomeDir: callers.dir}, []string{"65534", "12345"}, nil
		},
	}
	k, err := credentials.DockerConfig(env)
	if err != nil {
		t.Fatal(err)
	}
	for registry, want := range map[string]string{
		"r.io": "u:caller", "root.io": "u:root",
		"h.io": "65534 65534 12345:" + callers.dir + " ann /run/user/65534 ",
	} {
		if got := lookup(t, k, registry); got != want {
			t.Errorf("%s: %s, want %s", registry, got, want)
		}
	}
	if got := lookup(t, k, "own.io"); !strings.HasPrefix(got, "0 ") || !strings.HasSuffix(got, ":"+roots.dir+" root  ann") {
		t.Errorf("root's own helper ran as %s", got)
	}
	env.EUID = 1000
	if k, err = credentials.DockerConfig(env); err != nil {
		t.Fatal(err)
	}
	if got := lookup(t, k, "r.io"); got != "u:root" {
		t.Errorf("SUDO_USER means something to a user who is not root: %s", got)
	}
}

func TestUnknownSudoUser(t *testing.T) {
	t.Parallel()
	_, err := credentials.DockerConfig(credentials.Environment{Env: []string{"SUDO_USER=no-such-user-here"}})
	if err == nil || !strings.Contains(err.Error(), "looking up the user behind sudo") {
		t.Errorf("got %v", err)
	}
}
