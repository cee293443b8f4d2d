package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/config"
)

func TestPrecedence(t *testing.T) {
	t.Parallel()
	file := "listen: :1\ndomain: File.Example\nretention:\n  logs: 7d\nregistries:\n  mirrors:\n    docker.io: [http://a:1, http://b:2]\n"
	c, values, err := config.Load(config.Sources{
		Flags:   map[string][]string{"listen": {":3"}, "manage-hosts": {"true"}},
		Environ: []string{"DRYDOCK_LISTEN=:2", "DRYDOCK_RUNS_DRAIN=5m", "DRYDOCK_METRICS_FROM=10.1.2.3/8,::1", "HOME=/root", "DRYDOCK_SERVICE_HOST=10.0.0.1"},
		File:    []byte(file), FileName: "drydock.yaml",
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != ":3" || c.Port != 3 || c.Domain != "file.example" || !c.ManageHosts || c.Drain != 5*time.Minute ||
		c.LogsFor != 7*24*time.Hour || c.MaxUpload != 16<<30 || c.Slots < 2 {
		t.Errorf("%+v", c)
	}
	if len(c.Mirrors["docker.io"]) != 2 || c.MetricsFrom[0].String() != "10.0.0.0/8" || c.MetricsFrom[1].String() != "::1/128" {
		t.Errorf("%+v", c)
	}
	text, err := config.Print(values)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"listen: :3 # --listen\n", "drain: 5m # $DRYDOCK_RUNS_DRAIN\n", "logs: 7d # drydock.yaml:4\n", "max: 16g\n",
		"mirrors: ['docker.io=http://a:1', 'docker.io=http://b:2'] # drydock.yaml:6\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	// What is printed can be read again.
	again, _, err := config.Load(config.Sources{File: text, FileName: "x"})
	if err != nil || again.Listen != c.Listen || len(again.Mirrors["docker.io"]) != 2 || !again.ManageHosts {
		t.Errorf("%v\n%+v", err, again)
	}
}

// What the client reads stops no server, and what nobody reads does.
func TestVariablesOfTheClient(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../cli/*.go")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("../cli/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]bool{"DRYDOCK_CONFIG": true} // drydockd itself reads that
	for _, file := range append(files, more...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(`"(DRYDOCK_[A-Z_]+)"`).FindAllStringSubmatch(string(text), -1) {
			read[m[1]] = true
		}
	}
	if !read["DRYDOCK_CA_FILE"] || !read["DRYDOCK_CONFIG_DIR"] {
		t.Errorf("the client reads %v", read)
	}
	for name := range read {
		if _, _, err := config.Load(config.Sources{Environ: []string{name + "=/etc/x"}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"DRYDOCK_CA", "DRYDOCK_ENDPOINT"} {
		if _, _, err := config.Load(config.Sources{Environ: []string{name + "=/etc/x"}}); err == nil || !strings.Contains(err.Error(), "$"+name+": there is no such setting") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStorage(t *testing.T) {
	t.Parallel()
	file := "registries:\n  storage:\n    driver: s3\n    bucket: images\n    secretkey: hush\n    credentials.secret: hush-too\n"
	c, values, err := config.Load(config.Sources{File: []byte(file), FileName: "drydock.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Storage) != 4 || c.Storage["driver"] != "s3" || c.Storage["secretkey"] != "hush" {
		t.Errorf("%v", c.Storage)
	}
	text, err := config.Print(values)
	if err != nil || strings.Contains(string(text), "hush") || !strings.Contains(string(text), "bucket=images") || !strings.Contains(string(text), "secretkey=***") {
		t.Errorf("%v\n%s", err, text)
	}
	for _, wrong := range []string{"hush-alone", "=hush"} {
		if _, _, err := config.Load(config.Sources{Flags: map[string][]string{"registries-storage": {"secretkey=hush", wrong}}}); err == nil || strings.Contains(err.Error(), "=hush") && wrong != "=hush" {
			t.Errorf("%s: %v", wrong, err)
		}
	}
	for _, name := range []string{"sources-allow", "webhooks-allow"} {
		if _, _, err := config.Load(config.Sources{Flags: map[string][]string{name: {"10.0.0.0/8"}}}); err == nil || !strings.Contains(err.Error(), "127.0.0.0/8") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryMistakeIsNamedAtOnce(t *testing.T) {
	t.Parallel()
	_, _, err := config.Load(config.Sources{
		Flags:    map[string][]string{"domain": {"1.2.3.4"}, "runs-slots": {"0"}},
		Environ:  []string{"DRYDOCK_LISEN=:2", "DRYDOCK_LOG_LEVEL=loud"},
		File:     []byte("lissten: :1\nlisten: [a]\ntls:\n  certificate: /nowhere.pem\n  colour: red\nruns:\n  memory: much\n  drain: -1s\nproxy:\n  https: http://u:pass@\n"),
		FileName: "drydock.yaml",
	})
	if drydock.CodeOf(err) != drydock.Invalid {
		t.Fatal(err)
	}
	for _, want := range []string{
		"drydock.yaml:1: lissten: there is no such setting", "drydock.yaml:2: listen: it has the wrong form",
		`drydock.yaml:4: tls.certificate: "/nowhere.pem": no such file`, "drydock.yaml:5: tls.colour: there is no such setting",
		`drydock.yaml:7: runs.memory: "much": it is not a size`, "drydock.yaml:8: runs.drain:", "drydock.yaml:10: proxy.https:",
		`--domain: "1.2.3.4": an address`, `--runs-slots: "0"`, "$DRYDOCK_LISEN: there is no such setting", `$DRYDOCK_LOG_LEVEL: "loud"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "pass") {
		t.Errorf("a password in\n%v", err)
	}
}

func TestMistakesAreLines(t *testing.T) {
	t.Parallel()
	for file, want := range map[string][]string{
		"runs: 4\n":                   {"x:1: runs: it is a group of settings, as `runs: {slots: …}`"},
		"- a\n":                       {"x:1: settings are expected, as `listen: :443`"},
		"listen: [\n":                 {"x: line 1: did not find expected node content"},
		"colour: red\nruns: [1, 2]\n": {"x:1: colour: there is no such setting", "x:2: runs: it is a group of settings, as `runs: {slots: …}`"},
	} {
		_, _, err := config.Load(config.Sources{File: []byte(file), FileName: "x"})
		var mistakes *config.Mistakes
		if !errors.As(err, &mistakes) || !slices.Equal(mistakes.List, want) {
			t.Errorf("%q: %v", file, err)
		}
	}
}

// The URL of a mirror has no user, and none is printed.
func TestMirrorsHaveNoPasswords(t *testing.T) {
	t.Parallel()
	for _, mirror := range []string{
		"docker.io=https://me:hush@mirror.example", "docker.io=https://hush@mirror.example", "docker.io=me:hush@mirror.example",
		"docker.io=https://me:hush@mirror.example:port", "docker.io=ftp://me:hush@mirror.example", "docker.io=https://me:hu@sh@mirror.example",
	} {
		_, _, err := config.Load(config.Sources{Flags: map[string][]string{"registries-mirrors": {mirror}}})
		if err == nil || strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "hu@") || !strings.Contains(err.Error(), "mirror.example") {
			t.Errorf("%s: %v", mirror, err)
		}
	}
	_, _, err := config.Load(config.Sources{Flags: map[string][]string{"registries-mirrors": {"docker.io=https://me:hush@mirror.example"}}})
	if err == nil || !strings.Contains(err.Error(), `"docker.io=https://***@mirror.example": the URL of a mirror can't hold a user or password`) {
		t.Error(err)
	}
	// What was not understood is not shown either.
	_, _, err = config.Load(config.Sources{Flags: map[string][]string{"proxy-http": {"me:hush@proxy:port"}}})
	if err == nil || strings.Contains(err.Error(), "hush") {
		t.Error(err)
	}
}

func TestSecretsAreMasked(t *testing.T) {
	t.Parallel()
	c, values, err := config.Load(config.Sources{Flags: map[string][]string{"proxy-http": {"http://me:hush@proxy:3128"}}})
	if err != nil || c.Proxy.HTTP.Host != "proxy:3128" {
		t.Fatal(err)
	}
	text, err := config.Print(values)
	if err != nil || strings.Contains(string(text), "hush") || !strings.Contains(string(text), "me:***@proxy:3128") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestOneOfCertificateAndKey(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "c.pem")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := config.Load(config.Sources{Flags: map[string][]string{"tls-certificate": {file}}}); err == nil {
		t.Error("a certificate without a key")
	}
}

func TestSettingsAreNamedOnce(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range config.Settings() {
		for _, name := range []string{s.Flag(), s.Variable()} {
			if seen[name] {
				t.Error(name, "is there twice")
			}
			seen[name] = true
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("listen: :1\n")
	f.Add("registries: {mirrors: {a: b}}\nruns: {images: [a=b]}")
	f.Add("- a\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, values, err := config.Load(config.Sources{File: []byte(text), FileName: "x"})
		if err != nil {
			return
		}
		printed, err := config.Print(values)
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := config.Load(config.Sources{File: printed, FileName: "x"})
		if err != nil || again.Listen != c.Listen || again.Domain != c.Domain {
			t.Errorf("%v\n%s", err, printed)
		}
	})
}

func TestProxyEnvironment(t *testing.T) {
	t.Parallel()
	c, _, err := config.Load(config.Sources{Flags: map[string][]string{"proxy-https": {"proxy.example:3128"}, "proxy-except": {".test"}}})
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(c.Proxy.Environ([]string{"A=1", "https_proxy=other", "HTTP_PROXY=kept"}), " ")
	want := "A=1 HTTP_PROXY=kept HTTPS_PROXY=http://proxy.example:3128 https_proxy=http://proxy.example:3128 NO_PROXY=.test no_proxy=.test"
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
