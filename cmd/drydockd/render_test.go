package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRender(t *testing.T) {
	t.Parallel()
	dir := folder(t, `
-- acb.yaml --
version: v1.1.0
alias:
  values:
    who: world
secrets:
- id: token
  keyvault: https://v.vault.azure.net/secrets/token
steps:
- id: a
  cmd: image hello $who {{.Run.ID}} {{.Secrets.token}} {{.Values.pin}}
-- vault.yaml --
https://v.vault.azure.net/secrets/token: hunter2
`)
	b := newBench(t)
	b.expect(t, statusOK, []string{}, nil, "render", "--id", "7", "--vault", dir+"/vault.yaml", "--set-secret", "pin=9753186420", dir)
	want := `version: v1.1.0
secrets:
  - id: token
    keyvault: https://v.vault.azure.net/secrets/token
steps:
  - id: a
    cmd: image hello world 7 *** ***
`
	if d := cmp.Diff(want, b.stdout.String()); d != "" {
		t.Errorf("rendered task (-want +got):\n%s", d)
	}
}

func TestRenderBadTask(t *testing.T) {
	t.Parallel()
	dir := folder(t, "-- acb.yaml --\nsteps:\n- id: a\n  cmd: image {{.Run.ID\n")
	newBench(t).expect(t, statusInvalid, nil, []string{"acb.yaml:3:"}, "render", dir)
}
