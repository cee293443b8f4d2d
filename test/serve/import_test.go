package serve_test

import (
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/serve"
)

// An import goes through the mirrors that runs go through, and ends where nobody
// answers.
func TestImportFromElsewhere(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Domain: serve.LocalDomain, Args: []string{
		hub(t), "--registries-mirrors=other.invalid=http://127.0.0.1:9",
	}})
	c := s.Client(serve.Client{})
	c.Must("group", "create", "-n", "demo", "-l", "local")
	c.Must("acr", "create", "-n", "contoso", "-g", "demo", "--sku", "Basic")
	for i, source := range []string{"docker.io/library/busybox:latest", "docker.io/busybox:latest", "index.docker.io/library/busybox:latest"} {
		c.Must("acr", "import", "-n", "contoso", "--source", source, "-t", "copy:"+string(rune('a'+i)))
	}
	if got := c.Must("acr", "repository", "show-tags", "-n", "contoso", "--repository", "copy", "-o", "tsv"); got != "a\nb\nc\n" {
		t.Errorf("the tags are %q", got)
	}
	for source, want := range map[string]string{
		"127.0.0.1:9/app:v1":       "127.0.0.1:9",
		"other.invalid/app:v1":     "other.invalid",
		"docker.io/acme/nobody:v1": "acme/nobody",
	} {
		_, said, status := c.Run("acr", "import", "-n", "contoso", "--source", source)
		if status != 1 && status != 3 || !strings.HasPrefix(said, "ERROR: (") || !strings.Contains(said, want) {
			t.Errorf("%s: exit status %d: %s", source, status, said)
		}
	}
	if log := s.Log(); strings.Contains(log, `"level":"ERROR"`) || strings.Count(log, `"msg":"an operation failed"`) != 3 {
		t.Errorf("the log has\n%s", log)
	}
}
