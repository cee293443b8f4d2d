package githost_test

import (
	"testing"

	"github.com/drydockhq/drydock/internal/githost"
	"github.com/drydockhq/drydock/internal/githost/hosttest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, host := range map[string]struct {
		kind githost.Kind
		open func(testing.TB) *hosttest.Host
	}{
		"github.com":          {githost.GitHub, hosttest.NewGitHubCom},
		"GitHub Enterprise":   {githost.GitHub, hosttest.NewGitHub},
		"Azure DevOps":        {githost.AzureDevOps, hosttest.NewAzure},
		"Azure DevOps Server": {githost.AzureDevOps, hosttest.NewAzureServer},
		"Gitea":               {githost.Gitea, hosttest.NewGitea},
		"GitLab":              {githost.GitLab, hosttest.NewGitLab},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hosttest.Run(t, host.kind, func(t *testing.T) hosttest.Real { return host.open(t) })
		})
	}
}
