package serve_test

import (
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/drydockhq/drydock/test/serve"
)

// stock fills a repository, of which a purge is to leave the right half.
type stock struct {
	*office
	repository string
}

func (o *office) stock(repository string) *stock {
	return &stock{o, o.server.LoginServer("contoso") + "/" + repository}
}

// image pushes an image under a tag.
func (s *stock) image(tag string) v1.Image {
	s.t.Helper()
	img, err := random.Image(64, 1)
	if err != nil {
		s.t.Fatal(err)
	}
	s.push(tag, img)
	return img
}

func (s *stock) push(tag string, what remote.Taggable) string {
	s.t.Helper()
	ref, err := name.ParseReference(s.repository + ":" + tag)
	if err != nil {
		s.t.Fatal(err)
	}
	options := []remote.Option{
		remote.WithAuth(&authn.Basic{Username: s.server.ClientID, Password: s.server.Secret}),
		remote.WithTransport(s.server.Transport()), remote.WithContext(s.t.Context()),
	}
	switch what := what.(type) {
	case v1.ImageIndex:
		err = remote.WriteIndex(ref, what, options...)
	case v1.Image:
		err = remote.Write(ref, what, options...)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	digest, err := partial.Digest(what.(partial.WithRawManifest))
	if err != nil {
		s.t.Fatal(err)
	}
	return digest.String()
}

func (s *stock) short() string { _, repository, _ := strings.Cut(s.repository, "/"); return repository }

func (s *stock) untag(tag string) {
	s.t.Helper()
	s.Must("acr", "repository", "untag", "-n", "contoso", "--image", s.short()+":"+tag)
}

func (s *stock) lock(tag string) {
	s.t.Helper()
	s.Must("acr", "repository", "update", "-n", "contoso", "--image", s.short()+":"+tag, "--delete-enabled", "false", "-o", "none")
}

func (s *stock) wantTags(want ...string) {
	s.t.Helper()
	got := strings.Fields(s.Must("acr", "repository", "show-tags", "-n", "contoso", "--repository", s.short(), "-o", "tsv"))
	if strings.Join(got, " ") != strings.Join(want, " ") {
		s.t.Errorf("the tags of %s are %v, not %v", s.short(), got, want)
	}
}

// wantDigests checks which manifests there are, whatever tags they have.
func (s *stock) wantDigests(want map[string]bool) {
	s.t.Helper()
	got := s.Must("acr", "manifest", "list-metadata", "-r", "contoso", "-n", s.short(), "--query", "[].digest", "-o", "tsv")
	for digest, there := range want {
		if strings.Contains(got, digest) != there {
			s.t.Errorf("manifest %s is there: %t, want %t\n%s", digest, !there, there, got)
		}
	}
}

func digestOf(t *testing.T, what partial.WithRawManifest) string {
	t.Helper()
	digest, err := partial.Digest(what)
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

// A scheduled task purges its registry, with nothing but what runs have.
func TestPurge(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	s := o.stock("team/hello")
	for _, tag := range []string{"latest", "v1", "v2", "v3", "locked"} {
		s.image(tag)
	}
	s.lock("locked")
	loose := s.image("loose")
	s.untag("loose")
	index, err := random.Index(64, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	outer := mutate.AppendManifests(mutate.IndexMediaType(random0(t), types.OCIImageIndex), mutate.IndexAddendum{Add: index})
	s.push("multi", outer)
	children, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	signed := s.image("signed")
	subject, err := partial.Descriptor(signed)
	if err != nil {
		t.Fatal(err)
	}
	signature := mutate.Subject(mutate.MediaType(s.image("tmp"), types.OCIManifestSchema1), *subject).(v1.Image)
	s.push("sig", signature)
	s.untag("sig")
	want := map[string]bool{
		digestOf(t, loose): true, digestOf(t, signature): true, digestOf(t, index): true, digestOf(t, outer): true,
		children.Manifests[0].Digest.String(): true, children.Manifests[1].Digest.String(): true,
	}
	s.wantDigests(want)
	o.stock("other").image("v1")

	o.purgeTask("dry", `acr purge --filter 'team/.*:^(v\d|locked)' --ago 0d --keep 1 --untagged --dry-run`)
	o.wantRun("dry", "DRY RUN:", "Would delete: "+s.repository+":v2\n", "Number of tags to be deleted: 2\n", "Number of manifests to be deleted: 2\n")
	o.purgeTask("young", `acr purge --filter 'team/.*:.*' --ago 1d2h --untagged`)
	o.wantRun("young", "Number of deleted tags: 0\n", "Number of deleted manifests: 0\n")
	s.wantTags("latest", "locked", "multi", "signed", "tmp", "v1", "v2", "v3")

	o.purgeTask("purge", `acr purge --filter 'team/.*:^(v\d|locked)' --ago 0d --keep 1 --untagged`)
	o.wantRun("purge", "Deleted "+s.repository+":v1\n", "Number of deleted tags: 2\n", "Number of deleted manifests: 2\n")
	s.wantTags("latest", "locked", "multi", "signed", "tmp", "v3")
	s.wantDigests(want) // loose is the newest of those without tags, which --keep is for too
	o.purgeTask("untagged", "acr purge --untagged-only")
	o.wantRun("untagged", "Deleted "+s.repository+"@"+digestOf(t, loose)+"\n", "Number of deleted tags: 0\n", "Number of deleted manifests: 1\n")
	want[digestOf(t, loose)] = false
	s.wantDigests(want)
	o.stock("other").wantTags("v1")
	o.purgeTask("unlock", "acr purge --filter 'team/hello:^(?!multi|signed)' --ago 0d --include-locked --concurrency 99")
	o.wantRun("unlock", "Unlocked "+s.repository+":locked\n", "Number of deleted tags: 4\n")
	s.wantTags("multi", "signed")
	s.wantDigests(want)
}

// The other commands of acr, and the names by which it finds registries.
func TestAcrInSteps(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	s := o.stock("web")
	one, two := s.image("v1"), s.image("v2")
	s.image("v3")
	foreign := o.server.LoginServer("private")
	o.Must("acr", "create", "-n", "private", "-g", serve.Group, "--sku", "Basic")
	step := func(name, command string) {
		o.Must("acr", "task", "create", "-r", "contoso", "-n", name, "--cmd", command, "-c", "/dev/null", "-o", "none")
	}
	step("tags", "acr tag list --repository web")
	o.wantRun("tags", "Listing tags for the \"web\" repository:\n"+s.repository+":v1\n"+s.repository+":v2\n"+s.repository+":v3\n")
	step("bare", "acr tag delete -r contoso --repository web v1")
	o.wantRun("bare", s.repository+":v1\n")
	step("cloud", "acr tag delete -r contoso.azurecr.io --repository web v2")
	o.wantRun("cloud", "contoso.azurecr.io/web:v2\n")
	s.wantTags("v3")
	step("manifests", "acr manifest list --repository web")
	o.wantRun("manifests", "Listing manifests for the \"web\" repository:\n", s.repository+"@"+digestOf(t, two)+"\n")
	step("delete", "acr manifest delete --repository web "+digestOf(t, one)+" "+digestOf(t, two))
	o.wantRun("delete", s.repository+"@"+digestOf(t, one)+"\n"+s.repository+"@"+digestOf(t, two)+"\n")
	step("again", "acr manifest delete --repository web "+digestOf(t, one))
	o.wantFailure("again", "Error: failed to delete manifests: DELETE /v2/web/manifests/"+digestOf(t, one)+": HTTP status 404 (MANIFEST_UNKNOWN)")
	step("foreign", "acr tag list -r "+foreign+" --repository web")
	o.wantFailure("foreign", "Error: failed to list tags: signing in to "+foreign+": HTTP status 401", "az acr task credential add")
	step("none", "acr purge --filter 'absent:.*' --ago 1d")
	o.wantRun("none", "absent repository not found\n", "Number of deleted tags: 0\n")
	s.wantTags("v3")
}

// random0 returns an index of nothing.
func random0(t *testing.T) v1.ImageIndex {
	t.Helper()
	index, err := random.Index(1, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	return index
}

// purgeTask creates a task as the documentation of acr purge does.
func (o *office) purgeTask(name, command string) {
	o.t.Helper()
	o.Must("acr", "task", "create", "-r", "contoso", "-n", name, "--cmd", command, "--schedule", "0 1 * * Sun", "-c", "/dev/null", "-o", "none")
}
