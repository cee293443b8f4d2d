package buildkit

import (
	"testing"

	bksession "github.com/moby/buildkit/session"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
)

// A cache is one of Azure's own registries only to the builds of runs that reach
// those: not to nobody's.
func TestCacheRegistry(t *testing.T) {
	t.Parallel()
	e := &Executor{config: Config{RealRegistries: &Registries{}}, runs: newRunTable()}
	e.runs.add("azure", &build{session: &session{executor: e, spec: engine.RunSpec{RealAzure: true}}})
	e.runs.add("here", &build{session: &session{executor: e}})
	const ref = "contoso.azurecr.io/cache:1"
	for name, c := range map[string]struct {
		group bksession.Group
		want  string
	}{
		"no group":         {nil, ref},
		"no session":       {bksession.NewGroup(), ref},
		"an unknown one":   {bksession.NewGroup("other"), ref},
		"of this server":   {bksession.NewGroup("here"), ref},
		"of Azure":         {bksession.NewGroup("azure"), realReference(ref)},
		"of Azure and not": {bksession.NewGroup("azure", "here"), ref},
	} {
		given := map[string]string{"ref": ref, "mode": "max"}
		got, err := e.cacheRegistry(c.group, given)
		if err != nil || got["ref"] != c.want || got["mode"] != "max" || given["ref"] != ref {
			t.Errorf("%s: %v, %v; was %v", name, got, err, given)
		}
	}
	for _, ref := range []string{realReference(ref), realReference("docker.io/x")} {
		if _, err := e.cacheRegistry(bksession.NewGroup("azure"), map[string]string{"ref": ref}); drydock.CodeOf(err) != drydock.Denied {
			t.Errorf("%s: %v", ref, err)
		}
	}
}
