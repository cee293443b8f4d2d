package gitea_test

import (
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/drydockhq/drydock/internal/githost"
	"github.com/drydockhq/drydock/internal/githost/hosttest"
	"github.com/drydockhq/drydock/test/gitea"
	"github.com/drydockhq/drydock/test/serve"
)

func TestMain(m *testing.M) {
	status := m.Run()
	serve.Clean()
	os.Exit(status)
}

// The real host does what the fake one does.
func TestSuite(t *testing.T) {
	t.Parallel()
	server := gitea.Start(t)
	var hosts atomic.Int32
	hosttest.Run(t, githost.Gitea, func(t *testing.T) hosttest.Real {
		return server.Host("user-" + strings.Repeat("x", int(hosts.Add(1))))
	})
}
