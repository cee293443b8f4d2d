package acrcli_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	day   = 24 * time.Hour
	index = "application/vnd.oci.image.index.v1+json"
	image = "application/vnd.oci.image.manifest.v1+json"
	list  = "application/vnd.docker.distribution.manifest.list.v2+json"
	plain = "application/vnd.docker.distribution.manifest.v2+json"
)

func tagged(t *testing.T) *fake {
	f := newFake(t)
	f.tags = map[string]fakeTag{
		"v1": {9 * day, "d1", false}, "v2": {8 * day, "d2", false}, "v3": {7*day + time.Second, "d3", false},
		"v4": {7*day - time.Second, "d4", false}, "v0": {99 * day, "d0", true}, "latest": {99 * day, "d1", false},
	}
	return f
}

// Tags go by their names and ages; those that are locked stay.
func TestPurgeTags(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"by age":                 {[]string{"--filter", "app:^v", "--ago", "7d"}, []string{"v1", "v2", "v3"}},
		"days and hours":         {[]string{"--filter", "app:^v", "--ago", "7d12h"}, []string{"v1", "v2"}},
		"the newest are kept":    {[]string{"--filter", "app:^v", "--ago", "7d", "--keep", "2"}, []string{"v1"}},
		"more than there are":    {[]string{"--filter", "app:^v", "--ago", "7d", "--keep", "9"}, nil},
		"look-ahead":             {[]string{"--filter", "app:^(?!v)", "--ago", "0d"}, []string{"latest"}},
		"several filters":        {[]string{"--filter", "app:^v1$", "--filter", "ap.:latest", "--ago", "7d"}, []string{"latest", "v1"}},
		"of another repository":  {[]string{"--filter", "absent:.*", "--ago", "0d"}, nil},
		"a part of the name":     {[]string{"--filter", "ap:.*", "--ago", "0d"}, nil},
		"locked too":             {[]string{"--filter", "app:v0", "--ago", "7d", "--include-locked"}, []string{"v0"}},
		"with a limit":           {[]string{"--filter", "app:^v", "--ago", "7d", "--concurrency", "1"}, []string{"v1", "v2", "v3"}},
		"in everything there is": {[]string{"--filter", ".*:^v", "--ago", "7d", "--repository-page-size", "1"}, []string{"v1", "v2", "v3"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := tagged(t)
			out, status := f.run(t, append([]string{"purge"}, c.args...)...)
			if status != 0 {
				t.Error(status, out)
			}
			f.wantDeleted(t, c.want...)
			if name == "with a limit" && f.most != 1 {
				t.Errorf("%d at a time", f.most)
			}
		})
	}
}

// Manifests without tags go, and not what others need that stay.
func TestPurgeManifests(t *testing.T) {
	t.Parallel()
	make := func(t *testing.T) *fake {
		f := newFake(t)
		f.tags = map[string]fakeTag{"old": {9 * day, "old", false}}
		f.manifests = map[string]fakeManifest{
			"old":      {plain, 9 * day, `{}`, nil, false}, // its tag has been deleted
			"tagged":   {index, 9 * day, `{"manifests":[{"digest":"child"},{"digest":"inner","mediaType":"` + index + `"}]}`, []string{"x"}, false},
			"child":    {image, 9 * day, `{}`, nil, false},
			"inner":    {index, 9 * day, `{"manifests":[{"digest":"leaf"}]}`, nil, false},
			"leaf":     {image, 9 * day, `{}`, nil, false},
			"young":    {list, day, `{"manifests":[{"digest":"part"}]}`, nil, false},
			"part":     {plain, 9 * day, `{}`, nil, false},
			"shut":     {index, 9 * day, `{"manifests":[{"digest":"of-shut"}]}`, nil, true},
			"of-shut":  {image, 9 * day, `{}`, nil, false},
			"signs":    {image, 9 * day, `{"subject":{"digest":"tagged"}}`, nil, false},
			"loose":    {index, 9 * day, `{"manifests":[{"digest":"of-loose"}]}`, nil, false},
			"of-loose": {image, 8 * day, `{}`, nil, false},
			"typeless": {"", 9 * day, `{}`, nil, false},
		}
		return f
	}
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"after their tags":   {[]string{"--filter", "app:^$", "--ago", "7d", "--untagged"}, []string{"loose", "of-loose", "old"}},
		"alone":              {[]string{"--untagged-only", "--filter", "app:x", "--ago", "7d"}, []string{"loose", "of-loose", "old"}},
		"whatever their age": {[]string{"--untagged-only", "--filter", "app:.*"}, []string{"loose", "of-loose", "old", "part", "young"}},
		"the newest stay":    {[]string{"--untagged-only", "--filter", "app:.*", "--ago", "7d", "--keep", "1"}, []string{"loose", "old"}},
		"locked too":         {[]string{"--untagged-only", "--filter", "app:.*", "--ago", "7d", "--include-locked"}, []string{"loose", "of-loose", "of-shut", "old", "shut"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := make(t)
			out, status := f.run(t, append([]string{"purge"}, c.args...)...)
			if status != 0 {
				t.Error(status, out)
			}
			f.wantDeleted(t, c.want...)
		})
	}
	// A dry run says what goes when its tags have.
	f := make(t)
	f.manifests["old"] = fakeManifest{plain, 9 * day, `{}`, []string{"old"}, false}
	out, status := f.run(t, "purge", "--filter", "app:.*", "--ago", "7d", "--untagged", "--dry-run")
	if status != 0 || !strings.Contains(out, "Would delete: HOST/app:old\n") || !strings.Contains(out, "Would delete: HOST/app@old\n") ||
		!strings.HasSuffix(out, "\nNumber of tags to be deleted: 1\nNumber of manifests to be deleted: 3\n") {
		t.Error(status, out)
	}
	f.wantDeleted(t)
}

// What a registry does not allow is passed over; other errors end the purge.
func TestPurgeRefusals(t *testing.T) {
	t.Parallel()
	f := tagged(t)
	f.busy = 2
	f.refuse["/acr/v1/app/_tags/v1"] = http.StatusMethodNotAllowed
	f.refuse["/acr/v1/app/_tags/v2"] = http.StatusNotFound
	out, status := f.run(t, "purge", "--filter", "app:^v", "--ago", "7d")
	for _, want := range []string{
		"Skipped HOST/app:v1, operation not allowed, HTTP status: 405\n", "Skipped HOST/app:v2, HTTP status: 404\n",
		"Deleted HOST/app:v3\n", "\nNumber of deleted tags: 2\nNumber of deleted manifests: 0\n",
	} {
		if status != 0 || !strings.Contains(out, want) {
			t.Errorf("%d, no %q in\n%s", status, want, out)
		}
	}
	f.refuse["/acr/v1/app/_tags/v3"] = http.StatusForbidden
	out, status = f.run(t, "purge", "--filter", "app:v3", "--ago", "7d")
	if status != 1 || !strings.Contains(out, "Failed to delete HOST/app:v3, error: DELETE /acr/v1/app/_tags/v3: HTTP status 403 (REFUSED) not this one\n") ||
		!strings.Contains(out, "Number of deleted tags: 0") || !strings.Contains(out, "Error: failed to purge tags: ") {
		t.Error(status, out)
	}
	out, status = f.run(t, "purge", "--filter", `app:^(\w+\s?)*!$`, "--ago", "0d", "--filter-timeout-seconds", "1")
	if status != 0 { // these names are too short to take long
		t.Error(status, out)
	}
}

// Mistakes are said before anything is asked of the registry.
func TestPurgeMistakes(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"--filter is required":                    {"--ago", "1d"},
		"--ago is required":                       {"--filter", "a:b"},
		`--ago "7days" is not an age`:             {"--filter", "a:b", "--ago", "7days"},
		"unable to correctly parse":               {"--filter", "a", "--ago", "1d"},
		`"(" is not a regular expression`:         {"--filter", "a:(", "--ago", "1d"},
		"--keep can't be negative":                {"--filter", "a:b", "--ago", "1d", "--keep", "-1"},
		"[untagged untagged-only] are set none":   {"--untagged", "--untagged-only"},
		`unknown command "everything" for "acr p`: {"everything"},
	} {
		f := newFake(t)
		f.http.Transport = nil
		out, status := f.run(t, append([]string{"purge"}, args...)...)
		if status != 1 || !strings.HasPrefix(out, "Error: ") || !strings.Contains(out, want) {
			t.Errorf("%v: %d, %s", args, status, out)
		}
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	f := tagged(t)
	out, _ := f.run(t, "tag", "list", "--repository", "app")
	if !strings.HasPrefix(out, "Listing tags for the \"app\" repository:\nHOST/app:v4\nHOST/app:v3\n") || strings.Count(out, "\n") != 7 {
		t.Error(out)
	}
	f.refuse["/acr/v1/app/_tags/b"] = http.StatusNotFound
	out, status := f.run(t, "tag", "delete", "--repository", "app", "a", "b", "c")
	if status != 1 || !strings.HasPrefix(out, "HOST/app:a\nError: failed to delete tags: DELETE /acr/v1/app/_tags/b: HTTP status 404") {
		t.Error(status, out)
	}
	f.wantDeleted(t, "a")
}

func TestManifestCommands(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	for _, digest := range []string{"d1", "d2", "d3"} {
		f.manifests[digest] = fakeManifest{mediaType: image, content: `{}`}
	}
	out, status := f.run(t, "manifest", "list", "--repository", "app", "-r", f.host)
	if want := "Listing manifests for the \"app\" repository:\nHOST/app@d1\nHOST/app@d2\nHOST/app@d3\n"; status != 0 || out != want {
		t.Errorf("%d, %q", status, out)
	}
	out, status = f.run(t, "manifest", "delete", "--repository", "app", "d3", "d1")
	if status != 0 || out != "HOST/app@d3\nHOST/app@d1\n" {
		t.Errorf("%d, %q", status, out)
	}
	f.wantDeleted(t, "d1", "d3")
	for _, command := range []string{"list", "delete"} {
		if out, status := f.run(t, "manifest", command, "d2"); status != 1 || command == "delete" && !strings.Contains(out, `required flag(s) "repository" not set`) {
			t.Errorf("%s without a repository: %d, %q", command, status, out)
		}
	}
	f.wantDeleted(t, "d1", "d3")
}
