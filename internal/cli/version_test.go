package cli_test

import (
	"runtime/debug"
	"testing"

	"github.com/drydockhq/drydock/internal/cli"
)

func TestBuildVersion(t *testing.T) {
	t.Parallel()
	commit := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}
	dirty := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	for name, test := range map[string]struct {
		linked string
		info   *debug.BuildInfo
		want   string
	}{
		"linked":           {"v1.2.3", &debug.BuildInfo{Main: debug.Module{Version: "v9"}}, "v1.2.3"},
		"go install":       {"", &debug.BuildInfo{Main: debug.Module{Version: "v1.4.0"}}, "v1.4.0"},
		"a commit":         {"", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{commit}}, "0123456789ab"},
		"a changed commit": {"", &debug.BuildInfo{Settings: []debug.BuildSetting{dirty, commit}}, "0123456789ab-dirty"},
		"no stamp":         {"", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "unknown"},
		"no information":   {"", nil, "unknown"},
	} {
		read := func() (*debug.BuildInfo, bool) { return test.info, test.info != nil }
		if got := cli.BuildVersion(test.linked, read); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
