package arm_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	acr "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/drydockhq/drydock"
)

// What a repeated run tells of its task is believed only if it is made from what
// the task is built from now.
func TestRerunAltered(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.task(t)
	end := func(run, commit string) {
		t.Helper()
		if _, err := s.Queue.End(t.Context(), id.Parent(), run, drydock.RunFailed, `{"commit":"`+commit+`","branch":"main"}`); err != nil {
			t.Fatal(err)
		}
	}
	run := func(commit string, override *acr.OverrideTaskStepProperties) string {
		t.Helper()
		r := s.schedule(t, "contoso", &acr.TaskRunRequest{
			Type: to.Ptr("TaskRunRequest"), TaskID: to.Ptr(id.String()), OverrideTaskStepProperties: override,
		})
		end(*r.Name, commit)
		return *r.Name
	}
	again := func(what, of string, altered bool) string {
		t.Helper()
		a := s.rerun(t, of)
		if a.Status != http.StatusOK {
			t.Fatalf("%s: %d %v", what, a.Status, a.Body)
		}
		name, _ := a.At("properties.runId").(string)
		if r, _ := s.opened(t, name); r.Altered != altered {
			t.Errorf("%s: altered is %t", what, r.Altered)
		}
		return name
	}

	older := run(strings.Repeat("a", 40), nil)
	end(again("the newest", older, false), strings.Repeat("a", 40))
	end(again("an older one of the same commit", older, false), strings.Repeat("a", 40))
	other := run("b", &acr.OverrideTaskStepProperties{ContextPath: to.Ptr("https://github.com/acme/app.git#dev")})
	end(again("one of another branch", other, true), "b")
	end(again("an altered one is newer", older, false), strings.Repeat("a", 40))
	newer := run(strings.Repeat("c", 40), nil)
	pinned := again("a newer one has another commit", older, true)
	end(pinned, strings.Repeat("a", 40))
	end(again("the repetition of that", pinned, true), strings.Repeat("a", 40))
	going := again("the newest once more", newer, false)
	again("one goes on", older, true)
	end(going, strings.Repeat("c", 40))

	if a := s.Do(t, s.token, http.MethodPatch, id.String(), `{"properties":{"step":{"type":"FileTask","taskFilePath":"elsewhere.yaml"}}}`); a.Status != http.StatusOK {
		t.Fatalf("%d %v", a.Status, a.Body)
	}
	again("the task was changed", newer, true)
}

// A run of a commit, as pushes start it, is one of its task.
func TestRerunOfCommit(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.task(t)
	commit := func(c string, untrusted bool) string {
		t.Helper()
		record, err := s.Server.TaskRun(t.Context(), id, func(r *drydock.RunRequest) {
			repository, fragment, _ := strings.Cut(r.Source, "#")
			_, folder, in := strings.Cut(fragment, ":")
			if r.Source = repository + "#" + c; in {
				r.Source += ":" + folder
			}
			if untrusted {
				*r = r.Distrusted()
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		record.Altered = untrusted
		if record, err = s.Queue.Enqueue(t.Context(), record); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Queue.End(t.Context(), id.Parent(), record.ID, drydock.RunFailed, ""); err != nil { // before it had its source
			t.Fatal(err)
		}
		return record.ID
	}
	one, two := commit(strings.Repeat("1", 40), false), commit(strings.Repeat("2", 40), false)
	stranger := commit(strings.Repeat("3", 40), true)
	for of, altered := range map[string]bool{one: true, two: false, stranger: true} {
		name, _ := s.rerun(t, of).At("properties.runId").(string)
		r, request := s.opened(t, name)
		if r.Altered != altered || request.Untrusted != (of == stranger) {
			t.Errorf("the repetition of %s: altered is %t, untrusted %t", of, r.Altered, request.Untrusted)
		}
		if _, err := s.Queue.End(t.Context(), id.Parent(), name, drydock.RunFailed, ""); err != nil {
			t.Fatal(err)
		}
	}
}
