package oci_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/content/memory"
	orasremote "oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
)

func (f *fixture) oras(t testing.TB, user, reference string) *orasremote.Repository {
	t.Helper()
	r, err := orasremote.NewRepository(reference)
	if err != nil {
		t.Fatal(err)
	}
	r.Client = &auth.Client{Client: f.client, Cache: auth.NewCache(), Credential: func(context.Context, string) (auth.Credential, error) {
		return auth.Credential{Username: user, Password: f.users.passwords[user]}, nil
	}}
	return r
}

func TestORAS(t *testing.T) {
	t.Parallel()
	f, ctx := start(t), t.Context()
	local := memory.New()
	push := func(mediaType, text string) v1.Descriptor {
		t.Helper()
		d := content.NewDescriptorFromBytes(mediaType, []byte(text))
		if err := local.Push(ctx, d, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		return d
	}
	artifact := must[v1.Descriptor](t)(oras.PackManifest(ctx, local, oras.PackManifestVersion1_1, "application/doc",
		oras.PackManifestOptions{Layers: []v1.Descriptor{push("text/plain", "some text")}}))
	if err := local.Tag(ctx, artifact, "doc"); err != nil {
		t.Fatal(err)
	}
	signature := must[v1.Descriptor](t)(oras.PackManifest(ctx, local, oras.PackManifestVersion1_1, "application/signature",
		oras.PackManifestOptions{Subject: &artifact, Layers: []v1.Descriptor{push("text/plain", "signed")}}))

	repository := f.oras(t, "owner", "contoso.azurecr.test/docs/manual")
	if _, err := oras.ExtendedCopy(ctx, local, "doc", repository, "v1", oras.DefaultExtendedCopyOptions); err != nil {
		t.Fatal(err)
	}
	if d := must[v1.Descriptor](t)(repository.Resolve(ctx, "v1")); d.Digest != artifact.Digest {
		t.Errorf("v1 is %s, want %s", d.Digest, artifact.Digest)
	}
	var found []v1.Descriptor
	err := repository.Referrers(ctx, artifact, "application/signature", func(page []v1.Descriptor) error {
		found = append(found, page...)
		return nil
	})
	if err != nil || len(found) != 1 || found[0].Digest != signature.Digest {
		t.Errorf("referrers %v, %v", found, err)
	}
	back := memory.New()
	if _, err := oras.Copy(ctx, f.oras(t, "puller", "contoso.azurecr.test/docs/manual"), "v1", back, "v1", oras.DefaultCopyOptions); err != nil {
		t.Fatal(err)
	}
	if ok, err := back.Exists(ctx, artifact); !ok || err != nil {
		t.Errorf("after the pull: %v, %v", ok, err)
	}
	if err := repository.Delete(ctx, artifact); err != nil {
		t.Errorf("deleting: %v", err)
	}
	err = f.oras(t, "puller", "contoso.azurecr.test/docs/manual").Push(ctx, artifact, bytes.NewReader(nil))
	if err == nil {
		t.Error("somebody who may only pull has pushed")
	}
}

// An image that another repository has is mounted, not sent again.
func TestMountByClient(t *testing.T) {
	t.Parallel()
	f := start(t)
	image, err := random.Image(50_000, 2)
	if err != nil {
		t.Fatal(err)
	}
	one, two := parse(t, "contoso.azurecr.test/one:v1"), parse(t, "contoso.azurecr.test/two:v1")
	if err := remote.Write(one, image, f.as(t, "owner")...); err != nil {
		t.Fatal(err)
	}
	pulled, err := remote.Image(one, f.as(t, "owner")...)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(two, pulled, f.as(t, "owner")...); err != nil {
		t.Fatal(err)
	}
	used, err := f.store.Usage(t.Context(), registryID("contoso"))
	if err != nil || used > 110_000 {
		t.Errorf("two copies of 100 kB use %d bytes, %v", used, err)
	}
}

func TestIndexByClient(t *testing.T) {
	t.Parallel()
	f := start(t)
	image, err := random.Image(1000, 1)
	if err != nil {
		t.Fatal(err)
	}
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: image})
	ref := parse(t, "contoso.azurecr.test/multi:v1")
	if err := remote.WriteIndex(ref, index, f.as(t, "owner")...); err != nil {
		t.Fatal(err)
	}
	got, err := remote.Index(ref, f.as(t, "puller")...)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := index.Digest()
	if b, err := got.Digest(); err != nil || a != b {
		t.Errorf("pulled %v, %v; want %v", b, err, a)
	}
	err = remote.WriteIndex(parse(t, "contoso.azurecr.test/multi:v2"), index, f.as(t, "puller")...)
	var refused *transport.Error
	if !errors.As(err, &refused) || refused.StatusCode != 401 {
		t.Errorf("a push by who may only pull: %v", err)
	}
}

// skopeo is a real client in a program of its own.
func TestSkopeo(t *testing.T) {
	t.Parallel()
	f := start(t)
	program, err := exec.LookPath("skopeo")
	if err != nil {
		t.Fatalf("skopeo is needed: %v (make setup installs it)", err)
	}
	home := t.TempDir()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Certificate().Raw})
	policy := `{"default":[{"type":"insecureAcceptAnything"}]}`
	for name, text := range map[string][]byte{"certs/ca.crt": ca, "policy.json": []byte(policy)} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(home, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), program, append([]string{"--policy", filepath.Join(home, "policy.json")}, args...)...)
		cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + home, "XDG_RUNTIME_DIR=" + home}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	ok := func(args ...string) string {
		t.Helper()
		out, err := run(args...)
		if err != nil {
			t.Fatalf("skopeo %v: %v\n%s", args, err, out)
		}
		return out
	}
	image, err := random.Image(20_000, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(parse(t, "contoso.azurecr.test/app:v1"), image, f.as(t, "owner")...); err != nil {
		t.Fatal(err)
	}
	host, certs, layout := f.Listener.Addr().String(), filepath.Join(home, "certs"), "oci:"+filepath.Join(home, "layout")+":v1"
	ok("login", "--cert-dir", certs, "-u", "owner", "-p", "o", host)
	if out := ok("list-tags", "--cert-dir", certs, "docker://"+host+"/app"); !strings.Contains(out, `"v1"`) {
		t.Errorf("tags %s", out)
	}
	ok("copy", "--src-cert-dir", certs, "docker://"+host+"/app:v1", layout)
	ok("copy", "--dest-cert-dir", certs, layout, "docker://"+host+"/team/copy:v2")
	if out := ok("inspect", "--cert-dir", certs, "docker://"+host+"/team/copy:v2"); !strings.Contains(out, "Layers") {
		t.Errorf("inspect %s", out)
	}
	ok("copy", "--src-cert-dir", certs, "--dest-cert-dir", certs, "docker://"+host+"/app:v1", "docker://"+host+"/mounted:v1")
	ok("delete", "--cert-dir", certs, "docker://"+host+"/mounted:v1")
	f.do(t, request{path: "/v2/mounted/manifests/v1"}).want(t, 404, "MANIFEST_UNKNOWN")
	ok("logout", host)
	if out, err := run("list-tags", "--cert-dir", certs, "docker://"+host+"/app"); err == nil {
		t.Errorf("after the logout: %s", out)
	}
	if out, err := run("login", "--cert-dir", certs, "-u", "owner", "-p", "wrong", host); err == nil {
		t.Errorf("with a wrong password: %s", out)
	}
}
