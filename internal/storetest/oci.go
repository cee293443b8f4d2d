package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
)

// ArtifactStore is the ports of what registries hold, with the resources that
// they hang on and the events that they write.
type ArtifactStore interface {
	drydock.ArtifactStore
	drydock.ArtifactIndex
	drydock.BlobIndex
	drydock.UsageStore
	drydock.ResourceStore
	drydock.EventStore
	drydock.Transactor
}

// Artifacts runs the suite of the ports of what registries hold. newStore
// returns a store that is empty.
func Artifacts(t *testing.T, newStore func(t *testing.T) ArtifactStore) {
	groups := map[string]map[string]func(*testing.T, artifacts){
		"Put": putTests, "Delete": deleteTests, "Lists": listTests, "Locks": lockTests, "Blobs": blobTests,
	}
	for name, tests := range groups {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for name, test := range tests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					s := newStore(t)
					putRegistries(t, s)
					test(t, artifacts{s})
				})
			}
		})
	}
}

// artifacts is a store with what tests do often.
type artifacts struct{ ArtifactStore }

// somebody makes the changes of tests.
var somebody = drydock.Actor{ID: "somebody"}

// far is a time before which everything was used, and past one before which
// nothing was.
func far() time.Time  { return time.Now().Add(time.Hour) }
func past() time.Time { return time.Now().Add(-time.Hour) }

// digestOf is a digest for a name, of the right form.
func digestOf(name string) string { return "sha256:" + fmt.Sprintf("%064x", name) }

func at(repository, reference string) drydock.ArtifactRef {
	return drydock.ArtifactRef{Registry: registry, Repository: repository, Reference: reference}
}

// manifestOf is a manifest whose name gives it its digest.
func manifestOf(repository, name string, blobs ...string) drydock.Manifest {
	m := drydock.Manifest{
		Registry: registry, Repository: repository, Digest: digestOf(name), MediaType: "application/x",
		Content: []byte(name), Size: int64(len(name)), TotalSize: 100,
	}
	for _, b := range blobs {
		m.Blobs = append(m.Blobs, digestOf(b))
	}
	return m
}

func (a artifacts) put(t *testing.T, m drydock.Manifest, tags ...string) {
	t.Helper()
	check(t, a.PutManifest(t.Context(), m, tags, somebody))
}

func (a artifacts) blob(t *testing.T, repository, name string, size int64) {
	t.Helper()
	check(t, a.PutBlob(t.Context(), drydock.BlobLink{
		Registry: registry, Repository: repository, Digest: digestOf(name), Canonical: digestOf(name), Size: size,
	}))
}

func (a artifacts) manifest(t *testing.T, repository, reference string) drydock.Manifest {
	t.Helper()
	m, err := a.Manifest(t.Context(), at(repository, reference))
	check(t, err)
	return m
}

func (a artifacts) tagNames(t *testing.T, f drydock.TagFilter) []string {
	t.Helper()
	f.Registry = registry
	all, err := a.Tags(t.Context(), f)
	check(t, err)
	var names []string
	for _, tag := range all {
		names = append(names, tag.Name)
	}
	return names
}

// manifestNames returns the names that manifestOf made the digests from.
func (a artifacts) manifestNames(t *testing.T, f drydock.ManifestFilter) []string {
	t.Helper()
	f.Registry = registry
	all, err := a.Manifests(t.Context(), f)
	check(t, err)
	var names []string
	for _, m := range all {
		names = append(names, nameOf(m.Digest))
	}
	return names
}

func nameOf(digest string) string {
	var name []byte
	_, err := fmt.Sscanf(strings.TrimLeft(strings.TrimPrefix(digest, "sha256:"), "0"), "%x", &name)
	if err != nil {
		return digest
	}
	return string(name)
}

// eventTexts returns the events so far, a line each.
func (a artifacts) eventTexts(t *testing.T) []string {
	t.Helper()
	all, err := a.Events(t.Context(), 0, 1000)
	check(t, err)
	var texts []string
	for _, e := range all {
		var data drydock.RegistryEvent
		check(t, json.Unmarshal(e.Data, &data))
		if e.Subject.Key() != registry.Key() || data.Actor != "somebody" || data.MediaType != "application/x" || e.ID == "" {
			t.Errorf("event %+v with data %s", e, e.Data)
		}
		text := e.Kind + " " + data.Repository + ":" + data.Tag + " " + nameOf(data.Digest)
		if data.Previous != "" {
			text += " was " + nameOf(data.Previous)
		}
		texts = append(texts, text)
	}
	return texts
}

var putTests = map[string]func(*testing.T, artifacts){
	"a manifest is read as it was put": func(t *testing.T, a artifacts) {
		a.blob(t, "app", "layer", 7)
		a.put(t, manifestOf("app", "child"))
		m := manifestOf("app", "one", "layer")
		m.ConfigType, m.ArtifactType, m.Subject = "application/config", "application/artifact", digestOf("subject")
		m.OS, m.Architecture = "linux", "arm64"
		m.Annotations = map[string]string{"a": "b", "ü": "\x00"}
		m.Children = []drydock.ChildManifest{{Digest: digestOf("child"), OS: "linux", Architecture: "amd64"}}
		a.put(t, m, "v1", "latest")
		for _, reference := range []string{"v1", "latest", m.Digest} {
			got := a.manifest(t, "app", reference)
			if got.Created.IsZero() || got.Updated != got.Created {
				t.Errorf("created %v, updated %v", got.Created, got.Updated)
			}
			got.Created, got.Updated = time.Time{}, time.Time{}
			want := m
			want.Tags, want.Attributes, want.Effective = []string{"latest", "v1"}, drydock.Unlocked(), drydock.Unlocked()
			same(t, reference, got, want)
		}
	},
	"a tag moves, and events say from where": func(t *testing.T, a artifacts) {
		a.put(t, manifestOf("app", "one"), "v1")
		a.put(t, manifestOf("app", "two"), "v1")
		a.put(t, manifestOf("app", "two"))
		same(t, "tags of the first", a.manifest(t, "app", digestOf("one")).Tags, nil)
		same(t, "the tag", a.manifest(t, "app", "v1").Digest, digestOf("two"))
		same(t, "events", a.eventTexts(t), []string{
			"registry.push app:v1 one", "registry.push app:v1 two was one", "registry.push app: two",
		})
	},
	"what a manifest names must be there": func(t *testing.T, a artifacts) {
		a.blob(t, "other", "layer", 7)
		index := manifestOf("app", "index")
		index.Children = []drydock.ChildManifest{{Digest: digestOf("child")}}
		for _, m := range []drydock.Manifest{manifestOf("app", "one", "layer"), index} {
			err := a.PutManifest(t.Context(), m, []string{"v1"}, somebody)
			var missing *drydock.MissingContentError
			if !errors.As(err, &missing) || missing.Digest != append(m.Blobs, digestOf("child"))[0] {
				t.Errorf("error %v", err)
			}
		}
		_, err := a.Repository(t.Context(), registry, "app")
		wantCode(t, "the repository after a refused push", err, drydock.NotFound)
		same(t, "events", a.eventTexts(t), nil)
	},
	"registries and repositories don't mix": func(t *testing.T, a artifacts) {
		a.put(t, manifestOf("app", "one"), "v1")
		for what, ref := range map[string]drydock.ArtifactRef{
			"another repository":   at("app/two", "v1"),
			"another registry":     {Registry: other, Repository: "app", Reference: "v1"},
			"by digest, elsewhere": {Registry: other, Repository: "app", Reference: digestOf("one")},
			"another tag":          at("app", "V1"),
		} {
			_, err := a.Manifest(t.Context(), ref)
			wantCode(t, what, err, drydock.NotFound)
		}
		m := manifestOf("app", "one")
		m.Registry = mustID(group.String() + "/providers/Microsoft.ContainerRegistry/registries/nowhere")
		wantCode(t, "a registry that is not there", a.PutManifest(t.Context(), m, nil, somebody), drydock.NotFound)
	},
	"a transaction that fails leaves no event": func(t *testing.T, a artifacts) {
		stop := errors.New("stop")
		err := a.Atomically(t.Context(), func(ctx context.Context) error {
			if err := a.PutManifest(ctx, manifestOf("app", "one"), []string{"v1"}, somebody); err != nil {
				return err
			}
			return stop
		})
		if !errors.Is(err, stop) {
			t.Errorf("error %v", err)
		}
		same(t, "events", a.eventTexts(t), nil)
		_, err = a.Manifest(t.Context(), at("app", "v1"))
		wantCode(t, "the manifest", err, drydock.NotFound)
	},
	"all goes with the registry": func(t *testing.T, a artifacts) {
		a.blob(t, "app", "layer", 7)
		a.put(t, manifestOf("app", "one", "layer"), "v1")
		check(t, a.DeleteResource(t.Context(), registry))
		putRegistries(t, a)
		_, err := a.Manifest(t.Context(), at("app", "v1"))
		wantCode(t, "the manifest", err, drydock.NotFound)
		used, err := a.Usage(t.Context(), registry)
		check(t, err)
		same(t, "usage", used, 0)
	},
}

var deleteTests = map[string]func(*testing.T, artifacts){
	"a tag goes and its manifest stays": func(t *testing.T, a artifacts) {
		a.put(t, manifestOf("app", "one"), "v1", "v2")
		check(t, a.DeleteTag(t.Context(), at("app", "v1"), somebody))
		same(t, "tags", a.manifest(t, "app", digestOf("one")).Tags, []string{"v2"})
		wantCode(t, "again", a.DeleteTag(t.Context(), at("app", "v1"), somebody), drydock.NotFound)
		wantCode(t, "a digest", a.DeleteTag(t.Context(), at("app", digestOf("one")), somebody), drydock.NotFound)
		same(t, "last event", a.eventTexts(t)[2:], []string{"registry.untag app:v1 one was one"})
	},
	"a manifest goes with its tags and referrers": func(t *testing.T, a artifacts) {
		a.put(t, manifestOf("app", "one"), "v1", "v2")
		for _, name := range []string{"signature", "locked"} {
			m := manifestOf("app", name)
			m.Subject = digestOf("one")
			a.put(t, m)
		}
		m := manifestOf("app", "of the signature")
		m.Subject = digestOf("signature")
		a.put(t, m)
		no := false
		check(t, a.SetAttributes(t.Context(), at("app", digestOf("locked")), drydock.AttributesChange{Delete: &no}))
		check(t, a.DeleteManifest(t.Context(), at("app", digestOf("one")), somebody))
		same(t, "left", a.manifestNames(t, drydock.ManifestFilter{Repository: "app"}), []string{"locked"})
		same(t, "tags", a.tagNames(t, drydock.TagFilter{Repository: "app"}), nil)
		wantCode(t, "again", a.DeleteManifest(t.Context(), at("app", digestOf("one")), somebody), drydock.NotFound)
		same(t, "events", a.eventTexts(t)[5:], []string{
			"registry.delete app: one", "registry.delete app: signature", "registry.delete app: of the signature",
		})
	},
	"a repository goes with all in it": func(t *testing.T, a artifacts) {
		a.put(t, manifestOf("app", "one"), "v1")
		a.put(t, manifestOf("app", "two"))
		a.put(t, manifestOf("app/sub", "one"), "v1")
		check(t, a.DeleteRepository(t.Context(), at("app", ""), somebody))
		all, err := a.Repositories(t.Context(), registry, drydock.Page{})
		check(t, err)
		if len(all) != 1 || all[0].Name != "app/sub" {
			t.Errorf("left: %+v", all)
		}
		wantCode(t, "again", a.DeleteRepository(t.Context(), at("app", ""), somebody), drydock.NotFound)
		events := a.eventTexts(t)[3:]
		slices.Sort(events)
		same(t, "events", events, []string{"registry.delete app: one", "registry.delete app: two"})
	},
}

var listTests = map[string]func(*testing.T, artifacts){
	"repositories": func(t *testing.T, a artifacts) {
		for _, name := range []string{"b", "a", "a/b", "c"} {
			a.put(t, manifestOf(name, "one"), "v1", "v2")
		}
		no := false
		check(t, a.SetAttributes(t.Context(), at("c", ""), drydock.AttributesChange{List: &no}))
		for _, page := range []struct {
			page drydock.Page
			want []string
		}{
			{drydock.Page{}, []string{"a", "a/b", "b"}},
			{drydock.Page{Limit: 2}, []string{"a", "a/b"}},
			{drydock.Page{Limit: 2, After: "a/b"}, []string{"b"}},
			{drydock.Page{After: "b"}, nil},
		} {
			all, err := a.Repositories(t.Context(), registry, page.page)
			check(t, err)
			var names []string
			for _, r := range all {
				names = append(names, r.Name)
			}
			same(t, fmt.Sprintf("%+v", page.page), names, page.want)
		}
		r, err := a.Repository(t.Context(), registry, "c")
		check(t, err)
		if r.Tags != 2 || r.Manifests != 1 || r.Attributes.List || r.Created.IsZero() {
			t.Errorf("the repository is %+v", r)
		}
	},
	"tags": func(t *testing.T, a artifacts) {
		for _, name := range []string{"c", "a", "b", "hidden"} {
			a.put(t, manifestOf("app", name), name)
		}
		no := false
		check(t, a.SetAttributes(t.Context(), at("app", "hidden"), drydock.AttributesChange{List: &no}))
		for _, f := range []struct {
			filter drydock.TagFilter
			want   []string
		}{
			{drydock.TagFilter{}, []string{"a", "b", "c"}},
			{drydock.TagFilter{Hidden: true}, []string{"a", "b", "c", "hidden"}},
			{drydock.TagFilter{Digest: digestOf("b")}, []string{"b"}},
			{drydock.TagFilter{Name: "b"}, []string{"b"}},
			{drydock.TagFilter{Page: drydock.Page{After: "a", Limit: 1}}, []string{"b"}},
			{drydock.TagFilter{Order: drydock.OldestTop}, []string{"c", "a", "b"}},
			{drydock.TagFilter{Order: drydock.NewestTop}, []string{"b", "a", "c"}},
			{drydock.TagFilter{Order: drydock.NewestTop, Page: drydock.Page{After: "b", Limit: 1}}, []string{"a"}},
			{drydock.TagFilter{Order: drydock.OldestTop, Page: drydock.Page{After: "a"}}, []string{"b"}},
		} {
			f.filter.Repository = "app"
			same(t, fmt.Sprintf("%+v", f.filter), a.tagNames(t, f.filter), f.want)
		}
		_, err := a.Tags(t.Context(), drydock.TagFilter{
			Registry: registry, Repository: "app", Order: drydock.OldestTop, Page: drydock.Page{After: "gone"},
		})
		wantCode(t, "a page after what is gone", err, drydock.Invalid)
	},
	"manifests": func(t *testing.T, a artifacts) {
		for _, name := range []string{"c", "a", "b"} {
			m := manifestOf("app", name)
			if name != "c" {
				m.Subject, m.ArtifactType = digestOf("c"), "type/"+name
			}
			a.put(t, m, "tag-"+name)
		}
		for _, f := range []struct {
			filter drydock.ManifestFilter
			want   []string
		}{
			{drydock.ManifestFilter{}, []string{"a", "b", "c"}},
			{drydock.ManifestFilter{Subject: digestOf("c")}, []string{"a", "b"}},
			{drydock.ManifestFilter{Subject: digestOf("c"), ArtifactType: "type/b"}, []string{"b"}},
			{drydock.ManifestFilter{Digest: digestOf("b")}, []string{"b"}},
			{drydock.ManifestFilter{Page: drydock.Page{After: digestOf("a"), Limit: 1}}, []string{"b"}},
			{drydock.ManifestFilter{Order: drydock.NewestTop}, []string{"b", "a", "c"}},
		} {
			f.filter.Repository = "app"
			same(t, fmt.Sprintf("%+v", f.filter), a.manifestNames(t, f.filter), f.want)
		}
		all, err := a.Manifests(t.Context(), drydock.ManifestFilter{Registry: registry, Repository: "app", Digest: digestOf("a")})
		check(t, err)
		if len(all) != 1 || all[0].Content != nil || !slices.Equal(all[0].Tags, []string{"tag-a"}) {
			t.Errorf("the list has %+v", all)
		}
	},
}

var lockTests = map[string]func(*testing.T, artifacts){
	"what locks forbid": func(t *testing.T, a artifacts) {
		no := false
		noDelete, noWrite := drydock.AttributesChange{Delete: &no}, drydock.AttributesChange{Write: &no}
		actions := map[string]func(repository string) error{
			"push": func(r string) error { return a.PutManifest(t.Context(), manifestOf(r, "one"), nil, somebody) },
			"move": func(r string) error {
				return a.PutManifest(t.Context(), manifestOf(r, "two"), []string{"v1"}, somebody)
			},
			"untag":  func(r string) error { return a.DeleteTag(t.Context(), at(r, "v1"), somebody) },
			"delete": func(r string) error { return a.DeleteManifest(t.Context(), at(r, digestOf("one")), somebody) },
			"clear":  func(r string) error { return a.DeleteRepository(t.Context(), at(r, ""), somebody) },
		}
		for i, test := range []struct {
			reference string
			change    drydock.AttributesChange
			forbidden []string
		}{
			{"", noWrite, []string{"push", "move", "untag", "delete", "clear"}},
			{"", noDelete, []string{"untag", "delete", "clear"}},
			{"v1", noWrite, []string{"move", "untag", "delete", "clear"}},
			{"v1", noDelete, []string{"untag", "delete", "clear"}},
			{digestOf("one"), noWrite, []string{"push", "delete", "clear"}},
			{digestOf("one"), noDelete, []string{"delete", "clear"}},
			{digestOf("one"), drydock.AttributesChange{Read: &no, List: &no}, nil},
		} {
			for name, act := range actions {
				repository := fmt.Sprintf("app-%d-%s", i, name)
				a.put(t, manifestOf(repository, "one"), "v1")
				check(t, a.SetAttributes(t.Context(), at(repository, test.reference), test.change))
				err := act(repository)
				if forbidden := slices.Contains(test.forbidden, name); forbidden != (drydock.CodeOf(err) == drydock.Conflict) || !forbidden && err != nil {
					t.Errorf("%s with %+v of %q: error %v", name, test.change, test.reference, err)
				}
			}
		}
	},
	"attributes are changed one by one, and stay over a push": func(t *testing.T, a artifacts) {
		no, yes := false, true
		a.put(t, manifestOf("app", "one"), "v1")
		check(t, a.SetAttributes(t.Context(), at("app", "v1"), drydock.AttributesChange{Read: &no}))
		check(t, a.SetAttributes(t.Context(), at("app", ""), drydock.AttributesChange{Delete: &no}))
		a.put(t, manifestOf("app", "two"), "v1")
		m := a.manifest(t, "app", "v1")
		same(t, "effective", m.Effective, drydock.Attributes{Write: true, List: true})
		same(t, "the manifest's own", m.Attributes, drydock.Unlocked())
		same(t, "by digest", a.manifest(t, "app", digestOf("two")).Effective, drydock.Attributes{Write: true, List: true, Read: true})
		check(t, a.SetAttributes(t.Context(), at("app", "v1"), drydock.AttributesChange{Read: &yes, List: &no}))
		same(t, "after", a.manifest(t, "app", "v1").Effective, drydock.Attributes{Write: true, Read: true})
		for _, reference := range []string{"v2", digestOf("three")} {
			wantCode(t, reference, a.SetAttributes(t.Context(), at("app", reference), drydock.AttributesChange{}), drydock.NotFound)
		}
		wantCode(t, "no repository", a.SetAttributes(t.Context(), at("none", ""), drydock.AttributesChange{}), drydock.NotFound)
	},
}

var blobTests = map[string]func(*testing.T, artifacts){
	"a blob belongs to its repository": func(t *testing.T, a artifacts) {
		a.blob(t, "app", "layer", 7)
		l, err := a.Blob(t.Context(), at("app", digestOf("layer")), past())
		check(t, err)
		same(t, "the blob", l, drydock.BlobLink{
			Registry: registry, Repository: "app", Digest: digestOf("layer"), Canonical: digestOf("layer"), Size: 7,
		})
		_, err = a.Blob(t.Context(), at("other", digestOf("layer")), past())
		wantCode(t, "of another repository", err, drydock.NotFound)
		wantCode(t, "deleting it there", a.DeleteBlob(t.Context(), at("other", digestOf("layer"))), drydock.NotFound)
		check(t, a.DeleteBlob(t.Context(), at("app", digestOf("layer"))))
		_, err = a.Blob(t.Context(), at("app", digestOf("layer")), past())
		wantCode(t, "after it was deleted", err, drydock.NotFound)
	},
	"a repository that may not be read gives no blobs": func(t *testing.T, a artifacts) {
		no := false
		a.blob(t, "app", "layer", 7)
		a.put(t, manifestOf("app", "one", "layer"))
		check(t, a.SetAttributes(t.Context(), at("app", ""), drydock.AttributesChange{Read: &no}))
		_, err := a.Blob(t.Context(), at("app", digestOf("layer")), past())
		wantCode(t, "reading", err, drydock.Conflict)
	},
	"sweeping takes what nobody needs": func(t *testing.T, a artifacts) {
		a.blob(t, "app", "needed", 1)
		a.blob(t, "app", "free", 2)
		a.blob(t, "app", "shared", 4)
		a.blob(t, "other", "shared", 4)
		a.put(t, manifestOf("app", "one", "needed"))
		a.put(t, manifestOf("other", "one", "shared"))
		wantCode(t, "deleting a needed one", a.DeleteBlob(t.Context(), at("app", digestOf("needed"))), drydock.Conflict)
		links, gone, err := a.SweepBlobs(t.Context(), registry, past(), 10)
		check(t, err)
		if len(links) > 0 || len(gone) > 0 {
			t.Errorf("swept what was just used: %v %v", links, gone)
		}
		links, gone, err = a.SweepBlobs(t.Context(), registry, far(), 10)
		check(t, err)
		same(t, "gone", gone, []string{digestOf("free")})
		if len(links) != 2 {
			t.Errorf("swept %+v", links)
		}
		check(t, a.DeleteManifest(t.Context(), at("app", digestOf("one")), somebody))
		_, gone, err = a.SweepBlobs(t.Context(), registry, far(), 10)
		check(t, err)
		same(t, "gone after the manifest", gone, []string{digestOf("needed")})
		held, err := a.Holder(t.Context(), registry, digestOf("shared"))
		check(t, err)
		same(t, "holder", held, "other")
		held, err = a.Holder(t.Context(), registry, digestOf("needed"))
		check(t, err)
		same(t, "holder of what is gone", held, "")
	},
	"asking for a blob keeps it": func(t *testing.T, a artifacts) {
		a.blob(t, "app", "asked", 1)
		a.blob(t, "app", "forgotten", 1)
		line := time.Now()
		_, err := a.Blob(t.Context(), at("app", digestOf("asked")), line)
		check(t, err)
		_, err = a.Blob(t.Context(), at("app", digestOf("forgotten")), past())
		check(t, err)
		_, gone, err := a.SweepBlobs(t.Context(), registry, line, 10)
		check(t, err)
		same(t, "gone", gone, []string{digestOf("forgotten")})
	},
	"sweeping in parts": func(t *testing.T, a artifacts) {
		for i := range 5 {
			a.blob(t, "app", fmt.Sprint(i), 1)
		}
		var counts []int
		for range 4 {
			links, _, err := a.SweepBlobs(t.Context(), registry, far(), 2)
			check(t, err)
			counts = append(counts, len(links))
		}
		same(t, "parts", counts, []int{2, 2, 1, 0})
	},
	"a blob under two digests is one": func(t *testing.T, a artifacts) {
		other := "sha512:" + strings.Repeat("ab", 64)
		a.blob(t, "app", "layer", 9)
		check(t, a.PutBlob(t.Context(), drydock.BlobLink{
			Registry: registry, Repository: "app", Digest: other, Canonical: digestOf("layer"), Size: 9,
		}))
		m := manifestOf("app", "m")
		m.Blobs = []string{other}
		a.put(t, m)
		used, err := a.Usage(t.Context(), registry)
		check(t, err)
		same(t, "usage", used, 10)
		_, gone, err := a.SweepBlobs(t.Context(), registry, far(), 10)
		check(t, err)
		same(t, "gone", gone, nil)
		l, err := a.Blob(t.Context(), at("app", other), past())
		check(t, err)
		same(t, "canonical", l.Canonical, digestOf("layer"))
	},
	"usage counts each blob and manifest once": func(t *testing.T, a artifacts) {
		a.blob(t, "app", "layer", 1000)
		a.blob(t, "other", "layer", 1000)
		a.put(t, manifestOf("app", "four", "layer"), "v1", "v2")
		a.put(t, manifestOf("other", "four", "layer"))
		used, err := a.Usage(t.Context(), registry)
		check(t, err)
		same(t, "usage", used, 1004)
	},
}
