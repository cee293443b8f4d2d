package serve_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/serve"
)

// pushBase pushes busybox with a label, so that each label is another digest.
// Builds find the label in $VERSION.
func pushBase(t *testing.T, s *serve.Server, image, label string) string {
	t.Helper()
	return write(t, s, image, baseImage(t, label))
}

func baseImage(t *testing.T, label string) v1.Image {
	t.Helper()
	img, err := images.Get(t.Context(), images.Busybox)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	changed := config.Config
	changed.Labels = map[string]string{"version": label}
	changed.Env = append(slices.Clone(changed.Env), "VERSION="+label)
	img, err = mutate.Config(img, changed)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// write pushes an image as the admin and returns its digest.
func write(t *testing.T, s *serve.Server, image string, img v1.Image) string {
	t.Helper()
	ref, err := name.ParseReference(image)
	if err != nil {
		t.Fatal(err)
	}
	auth := &authn.Basic{Username: s.ClientID, Password: s.Secret}
	if err := remote.Write(ref, img, remote.WithAuth(auth), remote.WithTransport(s.Transport()), remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

// buildTask makes a task that builds a Dockerfile into an image, and builds
// again when a base image changes.
func buildTask(a *serve.Azure, t *testing.T, registry, task, image, dockerfile string) {
	t.Helper()
	source := a.Upload(registry, "-- Dockerfile --\n"+dockerfile)
	poller, err := a.Tasks.BeginCreate(t.Context(), serve.Group, registry, task, armcontainerregistry.Task{
		Location: to.Ptr("here"),
		Properties: &armcontainerregistry.TaskProperties{
			Platform: &armcontainerregistry.PlatformProperties{OS: to.Ptr(armcontainerregistry.OSLinux)},
			Step: &armcontainerregistry.DockerBuildStep{
				Type: to.Ptr(armcontainerregistry.StepTypeDocker), ContextPath: &source,
				DockerFilePath: to.Ptr("Dockerfile"), ImageNames: []*string{&image}, IsPushEnabled: to.Ptr(true),
			},
			Trigger: &armcontainerregistry.TriggerProperties{BaseImageTrigger: &armcontainerregistry.BaseImageTrigger{
				Name: to.Ptr("base"), BaseImageTriggerType: to.Ptr(armcontainerregistry.BaseImageTriggerTypeRuntime),
			}},
		},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

// runTask runs a task by hand to its end.
func runTask(a *serve.Azure, t *testing.T, registry, task string) {
	t.Helper()
	id := a.Schedule(registry, &armcontainerregistry.TaskRunRequest{Type: to.Ptr("TaskRunRequest"), TaskID: to.Ptr(taskID(a, registry, task))})
	if text, end := a.WaitLog(registry, id); end != "successful" {
		t.Fatalf("run %s of %s: %s\n%s", id, task, end, text)
	}
}

func taskID(a *serve.Azure, registry, task string) string {
	return "/subscriptions/" + a.Subscription + "/resourceGroups/" + serve.Group +
		"/providers/Microsoft.ContainerRegistry/registries/" + registry + "/tasks/" + task
}

// triggered waits until a task has n runs that image updates have started and
// that have ended, and returns them, oldest first.
func triggered(a *serve.Azure, t *testing.T, registry, task string, n int) []*armcontainerregistry.RunProperties {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		runs := updates(a, t, registry, task)
		ended := 0
		for _, r := range runs {
			if r.FinishTime != nil {
				ended++
			}
		}
		if len(runs) >= n && ended == len(runs) {
			if len(runs) > n {
				t.Fatalf("%s has %d runs because of image updates, want %d", task, len(runs), n)
			}
			return runs
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s has %d runs because of image updates, %d of them at their end, want %d", task, len(runs), ended, n)
		}
	}
}

func updates(a *serve.Azure, t *testing.T, registry, task string) []*armcontainerregistry.RunProperties {
	t.Helper()
	filter := "TaskName eq '" + task + "'"
	var runs []*armcontainerregistry.RunProperties
	for pages := a.Runs.NewListPager(serve.Group, registry, &armcontainerregistry.RunsClientListOptions{Filter: &filter}); pages.More(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Value {
			if r.Properties.ImageUpdateTrigger != nil {
				runs = append([]*armcontainerregistry.RunProperties{r.Properties}, runs...)
			}
		}
	}
	return runs
}

// cause returns what the server says of why a run started.
func cause(a *serve.Azure, t *testing.T, registry, run string) (c struct {
	By     string
	Images []struct {
		Image, Previous, Digest, Run string
		Platforms                    []string
	}
	Notes []string
},
) {
	t.Helper()
	text := a.RawRun(registry, run)
	var doc struct {
		Properties struct{ Cause json.RawMessage }
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(doc.Properties.Cause, &c); err != nil {
		t.Fatalf("the cause of %s: %v\n%s", run, err, text)
	}
	return c
}

// TestCascade pushes a base image, which Docker Hub's name stands for here too:
// base → middle → product are rebuilt, once each and in order, and each run says
// why.
func TestCascade(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{hub(t), "--runs-slots=2"}})
	a := s.Azure()
	login := a.CreateRegistry("contoso")
	old := pushBase(t, s, login+"/base:1", "one")
	buildTask(a, t, "contoso", "middle", "middle:1", "FROM "+login+"/base:1\nRUN echo middle > /middle\n")
	buildTask(a, t, "contoso", "product", "product:1", "FROM "+login+"/middle:1\nCOPY --from=busybox /bin/busybox /tool\n")
	watched(a, t, "contoso", "product", 2)
	runTask(a, t, "contoso", "middle")
	triggered(a, t, "contoso", "product", 1) // what it is built from is there now

	pushBase(t, s, login+"/base:1", "one") // the same digest
	digest := pushBase(t, s, login+"/base:1", "two")
	middle := triggered(a, t, "contoso", "middle", 1)[0]
	product := triggered(a, t, "contoso", "product", 2)[1]
	if product.CreateTime.Before(*middle.FinishTime) {
		t.Errorf("product was queued at %v, before middle had ended at %v", product.CreateTime, middle.FinishTime)
	}
	update := middle.ImageUpdateTrigger.Images
	if len(update) != 1 || *update[0].Repository != "base" || *update[0].Tag != "1" || *update[0].Digest != digest || *update[0].Registry != login {
		t.Errorf("middle's trigger is %+v", update)
	}
	why := cause(a, t, "contoso", *middle.RunID)
	if len(why.Images) != 1 || why.Images[0].Image != login+"/base:1" || why.Images[0].Previous != old || why.Images[0].Digest != digest || why.Images[0].Run != "" {
		t.Errorf("middle's cause is %+v", why)
	}
	why = cause(a, t, "contoso", *product.RunID)
	if len(why.Images) != 1 || why.Images[0].Image != login+"/middle:1" || !strings.HasSuffix(why.Images[0].Run, "/runs/"+*middle.RunID) ||
		why.Images[0].Digest != *middle.OutputImages[0].Digest {
		t.Errorf("product's cause is %+v", why)
	}
	for _, r := range []*armcontainerregistry.RunProperties{middle, product} {
		if *r.Status != armcontainerregistry.RunStatusSucceeded || *r.RunType != armcontainerregistry.RunTypeAutoBuild {
			t.Errorf("run %s: %s, %s", *r.RunID, *r.Status, *r.RunType)
		}
	}
}
