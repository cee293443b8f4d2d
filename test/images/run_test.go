package images_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/images"
)

// cases are arguments of an image and what then is printed.
type cases []struct {
	name   string
	args   []string
	want   string
	status int
}

func (cs cases) run(t *testing.T, c *container) {
	t.Helper()
	for _, tc := range cs {
		// One at a time: they share the bundle.
		t.Run(tc.name, func(t *testing.T) {
			got, status := c.run(t, tc.args...)
			if status != tc.status || !strings.Contains(got, tc.want) {
				t.Errorf("%q prints %q with status %d, want %q with status %d", tc.args, got, status, tc.want, tc.status)
			}
		})
	}
}

func TestRunBusybox(t *testing.T) {
	t.Parallel()
	cases{
		{"own command", nil, "", 0},
		{"echo", []string{"echo", "hello"}, "hello\n", 0},
		{
			"applets",
			[]string{"sh", "-c", "for a in httpd nc wget nslookup; do which $a; done"},
			"/usr/sbin/httpd\n/usr/bin/nc\n/usr/bin/wget\n/usr/bin/nslookup\n", 0,
		},
		{"user", []string{"id"}, "uid=0(root) gid=0(root)", 0},
		{"tmp", []string{"stat", "-c", "%a", "/tmp"}, "1777\n", 0},
		{"status", []string{"sh", "-c", "exit 7"}, "", 7},
	}.run(t, unpack(t, images.Busybox))
}

func TestRunBash(t *testing.T) {
	t.Parallel()
	c := unpack(t, images.Bash)
	c.mount = t.TempDir()
	if err := os.WriteFile(filepath.Join(c.mount, "script.sh"), []byte("echo script ran by $BASH with $1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cases{
		{"own command", nil, "", 0},
		{"command", []string{"echo", "hello"}, "hello\n", 0},
		{"flag", []string{"-c", `a=(x y); echo "${a[1]} $BASH_VERSION"`}, "y 5.", 0},
		{"bash itself", []string{"bash", "-c", "echo $((6*7))"}, "42\n", 0},
		{"script without its run bit", []string{"script.sh", "one"}, "/bin/bash with one\n", 0},
		{"the same by path", []string{"./script.sh", "two"}, "/bin/bash with two\n", 0},
		{"no command", []string{"nonsense"}, "nonsense: No such file or directory", 127},
		{
			"coreutils",
			[]string{"bash", "-c", "cat script.sh | wc -l; ls; env | sort | tail -1 >/dev/null && sleep 0 && date +%Y | wc -c"},
			"1\nscript.sh\n5\n", 0,
		},
		{"other path", []string{"/usr/local/bin/bash", "-c", "echo ok"}, "ok\n", 0},
		{"env", []string{"/usr/bin/env", "bash", "-c", "echo ok"}, "ok\n", 0},
	}.run(t, c)
}

func TestRunHelloWorld(t *testing.T) {
	t.Parallel()
	cases{{"own command", nil, "Hello from Drydock!\n", 0}}.run(t, unpack(t, images.HelloWorld))
}

func TestRunCurl(t *testing.T) {
	t.Parallel()
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "for "+r.UserAgent()) })
	plain := httptest.NewServer(answer)
	t.Cleanup(plain.Close)
	secure := httptest.NewUnstartedServer(answer)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	c := unpack(t, images.Curl)
	c.host = true
	cases{
		{"address", []string{"-s", plain.URL}, "for curl/", 0},
		{"flag", []string{"-s", "--url", plain.URL}, "for curl/", 0},
		{"insecure", []string{"-s", "-k", secure.URL}, "for curl/", 0},
		// Status 60 is of a certificate that no CA vouches for; without the
		// bundle it would be 77.
		{"unknown CA", []string{"-sS", secure.URL}, "certificate", 60},
		{"nobody there", []string{"-sS", "http://127.0.0.1:1"}, "connect", 7},
	}.run(t, c)
}

func TestRunTools(t *testing.T) {
	t.Parallel()
	cases{{"version", []string{"version", "--short"}, "v3.", 0}}.run(t, unpack(t, images.Helm))
	cases{{"usage", nil, "usage: oras", 1}}.run(t, unpack(t, images.Oras))
}

func TestRunWeb(t *testing.T) {
	t.Parallel()
	c := unpack(t, images.Web)
	if _, ok := c.config.ExposedPorts["80/tcp"]; !ok {
		t.Errorf("exposes %v, want 80/tcp", c.config.ExposedPorts)
	}
	s := c.start(t)
	if line := <-s.line; line != "listening on [::]:80" {
		t.Errorf("prints %q", line)
	}
	if err := s.stop(); err != nil {
		t.Errorf("stopped by SIGTERM it ends with %v", err)
	}
}

func TestRunWebServes(t *testing.T) {
	t.Parallel()
	c := unpack(t, images.Web)
	c.host, c.env = true, []string{"PORT=0"}
	s := c.start(t)
	line := <-s.line
	address, ok := strings.CutPrefix(line, "listening on [::]:")
	if !ok {
		t.Fatalf("prints %q", line)
	}
	response, err := http.Get("http://127.0.0.1:" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), "Welcome") {
		t.Errorf("serves %d %q, %v", response.StatusCode, body, err)
	}
	if err := s.stop(); err != nil {
		t.Errorf("stopped by SIGTERM it ends with %v", err)
	}
}

func TestRunNode(t *testing.T) {
	t.Parallel()
	c := unpack(t, images.Node)
	c.mount = t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(c.mount, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("dep/package.json", `{"name": "dep", "version": "1.2.3", "main": "index.js"}`)
	write("dep/index.js", "module.exports = () => 'dep was called'\n")
	write("package.json", `{"name": "app", "version": "1.0.0", "dependencies": {"dep": "file:dep-1.2.3.tgz"},
		"scripts": {"postinstall": "echo postinstall > ran.txt", "start": "node app.js"}}`)
	write("app.js", "console.log(require('dep')())\n")
	cases{
		{"expression", []string{"node", "-e", "console.log(6*7, process.version, process.env.NODE_VERSION)"}, "42 v15.14.0 15.14.0\n", 0},
		{"flag", []string{"-p", "require('crypto').createHash('sha256').update('x').digest('hex').length"}, "64\n", 0},
		{"npm", []string{"npm", "--version"}, "7.24.2\n", 0},
		{"pack", []string{"npm", "pack", "--silent", "./dep"}, "dep-1.2.3.tgz\n", 0},
		{"install", []string{"npm", "install", "--no-audit", "--no-fund"}, "added 1 package", 0},
		{"script of the install", []string{"cat", "ran.txt"}, "postinstall\n", 0},
		{"start", []string{"npm", "start"}, "dep was called\n", 0},
		{"script", []string{"app.js"}, "dep was called\n", 0},
		{"npx", []string{"npx", "--version"}, "7.24.2\n", 0},
		{"a shell", []string{"sh", "-c", "stat -c %U /home/node"}, "node\n", 0},
	}.run(t, c)
}
