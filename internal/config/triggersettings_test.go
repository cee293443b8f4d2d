package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/config"
)

func TestPollIntervals(t *testing.T) {
	t.Parallel()
	usual := config.PollInterval{Min: 10 * time.Minute, Max: time.Hour}
	for _, c := range []struct {
		flags []string
		file  string
		host  string
		want  config.PollInterval
	}{
		{nil, "", "docker.io", usual},
		{[]string{"5m-10m"}, "", "quay.io", config.PollInterval{Min: 5 * time.Minute, Max: 10 * time.Minute}},
		{[]string{"5m"}, "", "quay.io", config.PollInterval{Min: 5 * time.Minute, Max: 5 * time.Minute}},
		{[]string{"never"}, "", "quay.io", config.PollInterval{}},
		{[]string{"Index.Docker.IO=1d-2d"}, "", "docker.io", config.PollInterval{Min: 24 * time.Hour, Max: 48 * time.Hour}},
		{[]string{"index.docker.io=1d"}, "", "quay.io", usual},
		{[]string{"1m", "localhost:5000=never"}, "", "localhost:5000", config.PollInterval{}},
		{nil, "triggers:\n  poll: [2m-3m, quay.io=4m]\n", "quay.io", config.PollInterval{Min: 4 * time.Minute, Max: 4 * time.Minute}},
		{nil, "triggers:\n  poll: {quay.io: 4m-5m}\n", "quay.io", config.PollInterval{Min: 4 * time.Minute, Max: 5 * time.Minute}},
		{nil, "triggers:\n  poll: {quay.io: 4m-5m}\n", "docker.io", usual},
	} {
		s := config.Sources{File: []byte(c.file), FileName: "x"}
		if c.flags != nil {
			s.Flags = map[string][]string{"triggers-poll": c.flags}
		}
		got, _, err := config.Load(s)
		if err != nil {
			t.Errorf("%q %q: %v", c.flags, c.file, err)
			continue
		}
		if i := got.Poll(c.host); i != c.want {
			t.Errorf("%q %q: %s: %v, want %v", c.flags, c.file, c.host, i, c.want)
		}
	}
}

func TestBadPollIntervals(t *testing.T) {
	t.Parallel()
	for _, v := range []string{"", "often", "1h-10m", "10ms", "0s", "=1h", "a/b=1h", "quay.io=", "1m-", "-1m", "1m-2m-3m"} {
		_, _, err := config.Load(config.Sources{Flags: map[string][]string{"triggers-poll": {v}}})
		if drydock.CodeOf(err) != drydock.Invalid || !strings.Contains(err.Error(), "triggers-poll") {
			t.Errorf("%q: %v", v, err)
		}
	}
}
