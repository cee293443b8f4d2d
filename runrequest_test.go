package drydock_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
)

func TestRunRequestSplitsAndJoins(t *testing.T) {
	t.Parallel()
	want := drydock.RunRequest{
		Kind:        drydock.DockerBuildRun,
		Source:      "https://user:hush-password@git.example/app.git#main",
		SourceToken: "hush-token",
		Arguments:   []drydock.RunValue{{Name: "a", Value: "1"}, {Name: "b", Value: "hush-b", Secret: true}},
		Values:      []drydock.RunValue{{Name: "b", Value: "hush-other", Secret: true}, {Name: "c", Value: "x"}},
		Credentials: []drydock.RunCredential{
			{Registry: "one", Username: drydock.SecretValue{Value: "hush-u"}, Password: drydock.SecretValue{Value: "hush-p"}},
			{Registry: "two", Password: drydock.SecretValue{Value: "https://v.example/secrets/x", Vault: true}, Identity: "[system]"},
		},
	}
	public, secrets := want.Split()
	text, err := json.Marshal(public)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "hush") {
		t.Errorf("secrets in %s", text)
	}
	if secrets.Empty() {
		t.Error("no secrets found")
	}
	if d := cmp.Diff(want, public.Join(secrets)); d != "" {
		t.Errorf("joined again (-want +got):\n%s", d)
	}
	if _, none := (drydock.RunRequest{Values: []drydock.RunValue{{Name: "c", Value: "x"}}}).Split(); !none.Empty() {
		t.Errorf("secrets found where there are none: %+v", none)
	}
}
