package source_test

import (
	"strings"
	"testing"

	"github.com/drydockhq/drydock/internal/source"
)

func TestGitURL(t *testing.T) {
	t.Parallel()
	for spec, want := range map[string]string{
		"https://github.com/o/r.git":                       "https://github.com/o/r.git",
		"https://github.com/o/r.git#b:d/e/":                "https://github.com/o/r.git b d/e",
		"github.com/o/r#v1":                                "https://github.com/o/r v1",
		"git://h/r.git#b":                                  "git://h/r.git b",
		"git@github.com:o/r.git#b:d":                       "git@github.com:o/r.git b d",
		"ssh://git:pw@h:22/r.git":                          "ssh://git@h:22/r.git",
		"HTTPS://user:pw@h/r.git#b":                        "https://h/r.git b  user pw",
		"https://pat@h/r.git":                              "https://h/r.git   pat",
		"https://org@dev.azure.com/org/my%20p/_git/r#main": "https://dev.azure.com/org/my%20p/_git/r main  org",
		"https://o.visualstudio.com/ACR/_git/Build/#m:d":   "https://o.visualstudio.com/ACR/_git/Build/ m d",
		"file:///srv/r.git#refs/pull/3/merge":              "file:///srv/r.git refs/pull/3/merge",
		"file://localhost/srv/r.git":                       "file:///srv/r.git",
		"https://h/r.git#feature/1.x-y_z+w":                "https://h/r.git feature/1.x-y_z+w",
		"https://h/r.git#:.":                               "https://h/r.git",
		"https://h/r.git#b:/":                              "https://h/r.git b",
		"https://h/r.git?a=b#c":                            "https://h/r.git?a=b c",
		"https://u:pw@Bücher.example:8443/r.git":           "https://xn--bcher-kva.example:8443/r.git   u pw",
		"https://１２７.０.０.１/r.git":                          "https://127.0.0.1/r.git",
		"ssh://git@ｈ。example/r.git":                        "ssh://git@h.example/r.git",
	} {
		remote, ref, dir, user, password, err := source.GitURL(spec)
		if got := strings.TrimRight(strings.Join([]string{remote, ref, dir, user, password}, " "), " "); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", spec, got, err, want)
		}
	}
}
