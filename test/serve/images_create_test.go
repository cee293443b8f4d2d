package serve_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/drydockhq/drydock/test/serve"
)

// watched waits until it is known what a task is built from, and returns that: a
// text for each image, as "Runtime base:1".
func watched(a *serve.Azure, t *testing.T, registry, task string, n int) []string {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		shown, err := a.Tasks.Get(t.Context(), serve.Group, registry, task, nil)
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, d := range shown.Properties.Step.GetTaskStepProperties().BaseImageDependencies {
			text := string(*d.Type) + " " + *d.Registry + "/" + *d.Repository
			if d.Tag != nil {
				text += ":" + *d.Tag
			}
			if d.Digest == nil {
				text += " without a digest"
			}
			texts = append(texts, text)
		}
		if len(texts) == n {
			return texts
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is built from %q, want %d images", task, texts, n)
		}
	}
}

// commit makes a repository of files, or changes one.
func commit(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	git := func(args ...string) {
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, ".git")); err != nil {
		git("init", "-q", "-b", "trunk")
	}
	git("add", ".")
	git("commit", "-q", "-m", "change")
}

// TestArmedAtCreation makes tasks, runs none, and pushes their base: what a git
// repository's task file and Dockerfiles say is enough. Then a task is given
// another Dockerfile.
func TestArmedAtCreation(t *testing.T) {
	t.Parallel()
	repo := filepath.Join(t.TempDir(), "repo")
	s := serve.Start(t, serve.Options{Args: []string{hub(t), "--sources-files", filepath.Dir(repo)}})
	a := s.Azure()
	login := a.CreateRegistry("contoso")
	pushBase(t, s, login+"/base:1", "one")
	pushBase(t, s, login+"/other:1", "one")
	commit(t, repo, map[string]string{
		"acr-task.yaml":    "version: v1.1.0\nsteps:\n- build: -t $Registry/app:1 -t $Registry/app:$ID -f app/Dockerfile app\n- push: [$Registry/app:1, $Registry/app:$ID]\n",
		"app/Dockerfile":   "ARG TAG=1\nFROM busybox AS tools\nFROM " + login + "/base:$TAG\nCOPY --from=tools /bin/busybox /tool\n",
		"other/Dockerfile": "FROM " + login + "/other:1\n",
	})
	poller, err := a.Tasks.BeginCreate(t.Context(), serve.Group, "contoso", "app", armcontainerregistry.Task{
		Location: to.Ptr("here"),
		Properties: &armcontainerregistry.TaskProperties{
			Platform: &armcontainerregistry.PlatformProperties{OS: to.Ptr(armcontainerregistry.OSLinux)},
			Step: &armcontainerregistry.FileTaskStep{
				Type: to.Ptr(armcontainerregistry.StepTypeFileTask), ContextPath: to.Ptr("file://" + repo), TaskFilePath: to.Ptr("acr-task.yaml"),
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
	buildTask(a, t, "contoso", "product", "product:1", "FROM "+login+"/app:1\n") // there is no such image yet
	got := strings.Join(watched(a, t, "contoso", "app", 2), ", ")
	if want := "Runtime " + login + "/base:1, BuildTime registry.hub.docker.com/library/busybox:latest"; got != want {
		t.Errorf("app is built from %s, want %s", got, want)
	}
	watched(a, t, "contoso", "product", 1)

	pushBase(t, s, login+"/base:1", "two")
	triggered(a, t, "contoso", "app", 1)
	triggered(a, t, "contoso", "product", 1)

	// From now on the old base is nothing to it.
	update, err := a.Tasks.BeginUpdate(t.Context(), serve.Group, "contoso", "app", armcontainerregistry.TaskUpdateParameters{
		Properties: &armcontainerregistry.TaskPropertiesUpdateParameters{Step: &armcontainerregistry.EncodedTaskStepUpdateParameters{
			Type: to.Ptr(armcontainerregistry.StepTypeEncodedTask), ContextPath: to.Ptr("file://" + repo),
			EncodedTaskContent: serve.Task("version: v1.1.0\nsteps:\n- build: -t $Registry/app:1 other\n- push: [$Registry/app:1]\n").EncodedTaskContent,
		}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := update.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	pushBase(t, s, login+"/base:1", "three")
	got = strings.Join(watched(a, t, "contoso", "app", 1), ", ")
	if want := "Runtime " + login + "/other:1"; got != want {
		t.Errorf("app is built from %s, want %s", got, want)
	}
	pushBase(t, s, login+"/base:1", "four")
	pushBase(t, s, login+"/other:1", "two")
	runs := triggered(a, t, "contoso", "app", 2)
	if why := cause(a, t, "contoso", *runs[1].RunID); len(why.Images) != 1 || why.Images[0].Image != login+"/other:1" {
		t.Errorf("the second run was caused by %+v", why)
	}
	triggered(a, t, "contoso", "product", 2)
}

// A task whose source is an artifact of its own registry is armed when it is
// created, though no name of the registry resolves and no run has signed in. One
// of another registry takes the task's credential for that.
func TestArmedFromAnArtifact(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{hub(t)}})
	a := s.Azure()
	login, other := a.CreateRegistry("contoso"), a.CreateRegistry("fabrikam")
	pushBase(t, s, login+"/base:1", "one")
	for _, image := range []string{login + "/src:v1", other + "/src:v1"} {
		pushFiles(t, s, image, map[string]string{
			"acr-task.yaml": "version: v1.1.0\nsteps:\n- build: -t $Registry/app:1 .\n- push: [$Registry/app:1]\n",
			"Dockerfile":    "FROM " + login + "/base:1\n",
		})
	}
	for task, source := range map[string]string{"own": login, "other": other} {
		poller, err := a.Tasks.BeginCreate(t.Context(), serve.Group, "contoso", task, armcontainerregistry.Task{
			Location: to.Ptr("here"),
			Properties: &armcontainerregistry.TaskProperties{
				Platform: &armcontainerregistry.PlatformProperties{OS: to.Ptr(armcontainerregistry.OSLinux)},
				Step: &armcontainerregistry.FileTaskStep{
					Type: to.Ptr(armcontainerregistry.StepTypeFileTask), ContextPath: to.Ptr("oci://" + source + "/src:v1"), TaskFilePath: to.Ptr("acr-task.yaml"),
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
	if got, want := strings.Join(watched(a, t, "contoso", "own", 1), ", "), "Runtime "+login+"/base:1"; got != want {
		t.Errorf("own is built from %s, want %s", got, want)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		text := a.Get("/registries/contoso/taskDependencies")
		if strings.Contains(text, "UNAUTHORIZED") || strings.Contains(text, "credential") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("it is not said that another registry takes a credential:\n%s", text)
		}
	}
	pushBase(t, s, login+"/base:1", "two")
	triggered(a, t, "contoso", "own", 1)
}
