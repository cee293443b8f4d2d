package serve_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/drydockhq/drydock/test/serve"
)

// TestDiamond has an app that builds on the base twice, directly and through a
// middle. It is rebuilt once, after the middle; when that fails, once on the old
// one.
func TestDiamond(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{"--runs-slots=4"}})
	a := s.Azure()
	login := a.CreateRegistry("contoso")
	pushBase(t, s, login+"/base:1", "one")
	buildTask(a, t, "contoso", "middle", "middle:1", "FROM "+login+"/base:1\nRUN test $VERSION != broken\nRUN echo $VERSION > /middle\n")
	watched(a, t, "contoso", "middle", 1)
	runTask(a, t, "contoso", "middle")
	buildTask(a, t, "contoso", "app", "app:1",
		"FROM "+login+"/middle:1 AS middle\nFROM "+login+"/base:1\nCOPY --from=middle /middle /middle\n")
	allImages(a, t, "contoso", "app")
	watched(a, t, "contoso", "app", 2)
	runTask(a, t, "contoso", "app")

	pushBase(t, s, login+"/base:1", "two")
	app := triggered(a, t, "contoso", "app", 1)[0]
	middle := triggered(a, t, "contoso", "middle", 1)[0]
	if app.CreateTime.Before(*middle.FinishTime) {
		t.Errorf("app was queued at %v, before middle had ended at %v", app.CreateTime, middle.FinishTime)
	}
	if why := cause(a, t, "contoso", *app.RunID); len(why.Images) != 2 {
		t.Errorf("app's cause is %+v", why)
	}
	pushBase(t, s, login+"/base:1", "broken")
	app = triggered(a, t, "contoso", "app", 2)[1]
	middle = triggered(a, t, "contoso", "middle", 2)[1]
	why := cause(a, t, "contoso", *app.RunID)
	if *middle.Status != armcontainerregistry.RunStatusFailed || *app.Status != armcontainerregistry.RunStatusSucceeded ||
		len(why.Images) != 1 || !strings.Contains(strings.Join(why.Notes, " "), "run "+*middle.RunID+" ended as Failed") {
		t.Errorf("middle is %s, app is %s, its cause %+v", *middle.Status, *app.Status, why)
	}
}

// allImages lets a task be rebuilt also for images that it only takes files from.
func allImages(a *serve.Azure, t *testing.T, registry, task string) {
	t.Helper()
	poller, err := a.Tasks.BeginUpdate(t.Context(), serve.Group, registry, task, armcontainerregistry.TaskUpdateParameters{
		Properties: &armcontainerregistry.TaskPropertiesUpdateParameters{Trigger: &armcontainerregistry.TriggerUpdateParameters{
			BaseImageTrigger: &armcontainerregistry.BaseImageTriggerUpdateParameters{
				Name: to.Ptr("base"), BaseImageTriggerType: to.Ptr(armcontainerregistry.BaseImageTriggerTypeAll),
			},
		}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

// TestThreeRegistries takes an image from a public registry through a gate into
// the company's, and from there into what a team builds. The gate tags what it
// has tested, and builds nothing of its own.
func TestThreeRegistries(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{})
	a := s.Azure()
	public, company := a.CreateRegistry("public"), a.CreateRegistry("company")
	a.CreateRegistry("teams")
	pushBase(t, s, public+"/node:15", "orange")
	gateTask(a, t, public)
	watched(a, t, "company", "gate", 1)
	runTask(a, t, "company", "gate")
	buildTask(a, t, "teams", "hello", "hello:1", "FROM "+company+"/node:15\nRUN echo $VERSION > /version\n")
	credential(a, t, "teams", "hello", company)
	watched(a, t, "teams", "hello", 1)
	runTask(a, t, "teams", "hello")

	red := pushBase(t, s, public+"/node:15", "red") // stops at the gate
	stopped := triggered(a, t, "company", "gate", 1)[0]
	green := pushBase(t, s, public+"/node:15", "green")
	passed := triggered(a, t, "company", "gate", 2)[1]
	hello := triggered(a, t, "teams", "hello", 1)[0]
	if *stopped.Status != armcontainerregistry.RunStatusFailed || *passed.Status != armcontainerregistry.RunStatusSucceeded {
		t.Errorf("the gate ended as %s and %s", *stopped.Status, *passed.Status)
	}
	// What was tested is what is tagged, digest and all.
	why := cause(a, t, "teams", *hello.RunID)
	if len(why.Images) != 1 || why.Images[0].Image != company+"/node:15" || why.Images[0].Digest != green ||
		!strings.HasSuffix(why.Images[0].Run, "/registries/company/runs/"+*passed.RunID) {
		t.Errorf("hello's cause is %+v, green is %s, red %s", why, green, red)
	}
	// The roll-back: an older image over the tag.
	pushBase(t, s, company+"/node:15", "orange")
	triggered(a, t, "teams", "hello", 2)
	triggered(a, t, "company", "gate", 2)
}

// gateTask makes the task of the gate in the registry company.
func gateTask(a *serve.Azure, t *testing.T, public string) {
	t.Helper()
	source := a.Upload("company", "-- Dockerfile --\nFROM "+public+"/node:15\nRUN test $VERSION != red\n")
	content := serve.Task("version: v1.1.0\nsteps:\n" +
		"- build: -t tested .\n" +
		"- cmd: docker tag " + public + "/node:15 $Registry/node:15\n" +
		"- push: [$Registry/node:15]\n").EncodedTaskContent
	poller, err := a.Tasks.BeginCreate(t.Context(), serve.Group, "company", "gate", armcontainerregistry.Task{
		Location: to.Ptr("here"),
		Properties: &armcontainerregistry.TaskProperties{
			Platform: &armcontainerregistry.PlatformProperties{OS: to.Ptr(armcontainerregistry.OSLinux)},
			Step: &armcontainerregistry.EncodedTaskStep{
				Type: to.Ptr(armcontainerregistry.StepTypeEncodedTask), ContextPath: &source, EncodedTaskContent: content,
			},
			Trigger: &armcontainerregistry.TriggerProperties{BaseImageTrigger: &armcontainerregistry.BaseImageTrigger{
				Name: to.Ptr("base"), BaseImageTriggerType: to.Ptr(armcontainerregistry.BaseImageTriggerTypeRuntime),
			}},
			Credentials: adminOf(a, public),
		},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

// adminOf lets a task sign in to a registry as the admin.
func adminOf(a *serve.Azure, host string) *armcontainerregistry.Credentials {
	secret := func(value string) *armcontainerregistry.SecretObject {
		return &armcontainerregistry.SecretObject{Type: to.Ptr(armcontainerregistry.SecretObjectTypeOpaque), Value: &value}
	}
	return &armcontainerregistry.Credentials{CustomRegistries: map[string]*armcontainerregistry.CustomRegistryCredentials{
		host: {UserName: secret(a.Server.ClientID), Password: secret(a.Server.Secret)},
	}}
}

// credential gives a task the admin's credential for a registry.
func credential(a *serve.Azure, t *testing.T, registry, task, host string) {
	t.Helper()
	poller, err := a.Tasks.BeginUpdate(t.Context(), serve.Group, registry, task, armcontainerregistry.TaskUpdateParameters{
		Properties: &armcontainerregistry.TaskPropertiesUpdateParameters{Credentials: adminOf(a, host)},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

// TestIndexOfPlatforms has a base for two platforms, of which one changes: the
// index counts, and the run says which it was.
func TestIndexOfPlatforms(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{})
	a := s.Azure()
	login := a.CreateRegistry("contoso")
	one, two := baseImage(t, "one"), baseImage(t, "two")
	pushIndex(t, s, login+"/base:1", map[string]v1.Image{"amd64": one, "arm64": one})
	buildTask(a, t, "contoso", "app", "app:1", "FROM "+login+"/base:1\n")
	watched(a, t, "contoso", "app", 1)
	digest := pushIndex(t, s, login+"/base:1", map[string]v1.Image{"amd64": one, "arm64": two})
	run := triggered(a, t, "contoso", "app", 1)[0]
	why := cause(a, t, "contoso", *run.RunID).Images[0]
	if why.Digest != digest || len(why.Platforms) != 1 || why.Platforms[0] != "linux/arm64" {
		t.Errorf("the cause is %+v", why)
	}
	if got := watched(a, t, "contoso", "app", 1); *run.Status != armcontainerregistry.RunStatusSucceeded {
		t.Errorf("app is %s, built from %v", *run.Status, got)
	}
	pushIndex(t, s, login+"/base:1", map[string]v1.Image{"amd64": one, "arm64": one})
	triggered(a, t, "contoso", "app", 2)
}

// pushIndex pushes an index of images by their architectures as the admin, and returns its digest.
func pushIndex(t *testing.T, s *serve.Server, image string, platforms map[string]v1.Image) string {
	t.Helper()
	index := v1.ImageIndex(empty.Index)
	for _, architecture := range slices.Sorted(maps.Keys(platforms)) {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: platforms[architecture], Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}},
		})
	}
	ref, err := name.ParseReference(image)
	if err != nil {
		t.Fatal(err)
	}
	auth := &authn.Basic{Username: s.ClientID, Password: s.Secret}
	if err := remote.WriteIndex(ref, index, remote.WithAuth(auth), remote.WithTransport(s.Transport()), remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}
