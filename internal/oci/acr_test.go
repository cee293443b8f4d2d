package oci_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/containers/azcontainerregistry"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
)

// armCredential gives tokens of the authority for the fixture's users.
type armCredential string

func (c armCredential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "arm-token-of-" + string(c), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func (f *fixture) sdkOptions() azcore.ClientOptions {
	return azcore.ClientOptions{Transport: f.client, Retry: policy.RetryOptions{MaxRetries: -1}}
}

func (f *fixture) sdk(t testing.TB, user string) *azcontainerregistry.Client {
	t.Helper()
	c, err := azcontainerregistry.NewClient("https://contoso.azurecr.test", armCredential(user),
		&azcontainerregistry.ClientOptions{ClientOptions: f.sdkOptions()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestSDKLists(t *testing.T) {
	t.Parallel()
	f := start(t)
	for _, name := range []string{"a", "a/b", "team/app"} {
		f.pushImage(t, name, "v2")
		f.pushImage(t, name, "v1")
	}
	c := f.sdk(t, "owner")

	var names []string
	for p := c.NewListRepositoriesPager(&azcontainerregistry.ClientListRepositoriesOptions{MaxNum: to.Ptr[int32](2)}); p.More(); {
		for _, n := range must[azcontainerregistry.ClientListRepositoriesResponse](t)(p.NextPage(t.Context())).Names {
			names = append(names, *n)
		}
	}
	if d := cmp.Diff([]string{"a", "a/b", "team/app"}, names); d != "" {
		t.Errorf("repositories (-want +got):\n%s", d)
	}

	for _, test := range []struct {
		order azcontainerregistry.ArtifactTagOrderBy
		want  []string
	}{
		{azcontainerregistry.ArtifactTagOrderByNone, []string{"v1", "v2"}},
		{azcontainerregistry.ArtifactTagOrderByLastUpdatedOnAscending, []string{"v2", "v1"}},
		{azcontainerregistry.ArtifactTagOrderByLastUpdatedOnDescending, []string{"v1", "v2"}},
	} {
		var tags []string
		for p := c.NewListTagsPager("team/app", &azcontainerregistry.ClientListTagsOptions{
			MaxNum: to.Ptr[int32](1), OrderBy: &test.order,
		}); p.More(); {
			page := must[azcontainerregistry.ClientListTagsResponse](t)(p.NextPage(t.Context()))
			if *page.RegistryLoginServer != "contoso.azurecr.test" || *page.Repository != "team/app" {
				t.Errorf("the list is of %s/%s", *page.RegistryLoginServer, *page.Repository)
			}
			for _, tag := range page.Tags {
				tags = append(tags, *tag.Name)
				if *tag.Digest == "" || time.Since(*tag.CreatedOn) > time.Hour || time.Since(*tag.LastUpdatedOn) > time.Hour ||
					!*tag.ChangeableAttributes.CanDelete || !*tag.ChangeableAttributes.CanList {
					t.Errorf("a tag is %+v", tag)
				}
			}
		}
		if d := cmp.Diff(test.want, tags); d != "" {
			t.Errorf("tags by %s (-want +got):\n%s", test.order, d)
		}
	}

	var manifests []*azcontainerregistry.ManifestAttributes
	for p := c.NewListManifestsPager("team/app", &azcontainerregistry.ClientListManifestsOptions{MaxNum: to.Ptr[int32](1)}); p.More(); {
		manifests = append(manifests, must[azcontainerregistry.ClientListManifestsResponse](t)(p.NextPage(t.Context())).Attributes...)
	}
	if len(manifests) != 2 {
		t.Fatalf("%d manifests", len(manifests))
	}
	for _, m := range manifests {
		if *m.Architecture != "amd64" || *m.OperatingSystem != "linux" || *m.MediaType != ociManifest ||
			*m.ConfigMediaType != ociConfig || len(m.Tags) != 1 || *m.Size < 300 || len(m.RelatedArtifacts) != 0 {
			t.Errorf("a manifest is %+v", m)
		}
	}
}

func TestSDKProperties(t *testing.T) {
	t.Parallel()
	f := start(t)
	d := f.pushImage(t, "team/app", "v1").String()
	index := marshal(t, object{
		"schemaVersion": 2, "mediaType": ociIndex, "manifests": []object{{
			"mediaType": ociManifest, "digest": d, "size": 1, "platform": object{"os": "linux", "architecture": "arm64"},
		}},
	})
	f.put(t, "team/app", "all", ociIndex, index).want(t, 201)
	c, ctx := f.sdk(t, "owner"), t.Context()

	r := must[azcontainerregistry.ClientGetRepositoryPropertiesResponse](t)(c.GetRepositoryProperties(ctx, "team/app", nil))
	if *r.Name != "team/app" || *r.ManifestCount != 2 || *r.TagCount != 2 || *r.RegistryLoginServer != "contoso.azurecr.test" {
		t.Errorf("the repository is %+v", r)
	}
	tag := must[azcontainerregistry.ClientGetTagPropertiesResponse](t)(c.GetTagProperties(ctx, "team/app", "v1", nil))
	if *tag.Tag.Name != "v1" || *tag.Tag.Digest != d || *tag.RepositoryName != "team/app" {
		t.Errorf("the tag is %+v", tag.Tag)
	}
	m := must[azcontainerregistry.ClientGetManifestPropertiesResponse](t)(
		c.GetManifestProperties(ctx, "team/app", digest.FromBytes(index).String(), nil))
	if len(m.Manifest.RelatedArtifacts) != 1 || *m.Manifest.RelatedArtifacts[0].Digest != d ||
		*m.Manifest.RelatedArtifacts[0].Architecture != "arm64" || m.Manifest.Architecture != nil {
		t.Errorf("the index is %+v", m.Manifest)
	}

	no := to.Ptr(false)
	u := must[azcontainerregistry.ClientUpdateTagPropertiesResponse](t)(c.UpdateTagProperties(ctx, "team/app", "v1",
		&azcontainerregistry.ClientUpdateTagPropertiesOptions{Value: &azcontainerregistry.TagWriteableProperties{CanWrite: no}}))
	if *u.Tag.ChangeableAttributes.CanWrite || !*u.Tag.ChangeableAttributes.CanRead {
		t.Errorf("after the update the tag is %+v", u.Tag.ChangeableAttributes)
	}
	um := must[azcontainerregistry.ClientUpdateManifestPropertiesResponse](t)(c.UpdateManifestProperties(ctx, "team/app", d,
		&azcontainerregistry.ClientUpdateManifestPropertiesOptions{Value: &azcontainerregistry.ManifestWriteableProperties{CanDelete: no}}))
	if *um.Manifest.ChangeableAttributes.CanDelete {
		t.Error("the manifest may be deleted")
	}
	ur := must[azcontainerregistry.ClientUpdateRepositoryPropertiesResponse](t)(c.UpdateRepositoryProperties(ctx, "team/app",
		&azcontainerregistry.ClientUpdateRepositoryPropertiesOptions{Value: &azcontainerregistry.RepositoryWriteableProperties{CanList: no}}))
	if *ur.ChangeableAttributes.CanList {
		t.Error("the repository may be listed")
	}
	if _, err := c.GetTagProperties(ctx, "team/app", "none", nil); !isStatus(err, 404) {
		t.Errorf("a tag that is not there: %v", err)
	}
}

func isStatus(err error, status int) bool {
	return err != nil && strings.Contains(err.Error(), fmt.Sprintf("RESPONSE %d", status))
}

func TestSDKDeletes(t *testing.T) {
	t.Parallel()
	f := start(t)
	d := f.pushImage(t, "team/app", "v1").String()
	f.pushImage(t, "team/app", "v2")
	c, ctx := f.sdk(t, "owner"), t.Context()
	must[azcontainerregistry.ClientDeleteTagResponse](t)(c.DeleteTag(ctx, "team/app", "v1", nil))
	f.do(t, request{path: "/v2/team/app/manifests/v1"}).want(t, 404, "MANIFEST_UNKNOWN")
	f.do(t, request{path: "/v2/team/app/manifests/" + d}).want(t, 200)
	must[azcontainerregistry.ClientDeleteManifestResponse](t)(c.DeleteManifest(ctx, "team/app", d, nil))
	f.do(t, request{path: "/v2/team/app/manifests/" + d}).want(t, 404, "MANIFEST_UNKNOWN")
	must[azcontainerregistry.ClientDeleteRepositoryResponse](t)(c.DeleteRepository(ctx, "team/app", nil))
	f.do(t, request{path: "/v2/team/app/tags/list"}).want(t, 404, "NAME_UNKNOWN")
	f.do(t, request{method: "DELETE", path: "/acr/v1/team/app"}).want(t, 404, "NAME_UNKNOWN")
	want := []string{
		"contoso registry.push team/app:v1", "contoso registry.push team/app:v2", "contoso registry.untag team/app:v1",
		"contoso registry.delete team/app", "contoso registry.delete team/app",
	}
	if d := cmp.Diff(want, f.events(t)); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
}

func TestSDKUpload(t *testing.T) {
	t.Parallel()
	f := start(t)
	b, err := azcontainerregistry.NewBlobClient("https://contoso.azurecr.test", armCredential("owner"),
		&azcontainerregistry.BlobClientOptions{ClientOptions: f.sdkOptions()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, content := t.Context(), bytes.Repeat([]byte("0123456789"), 1000)
	begun := must[azcontainerregistry.BlobClientStartUploadResponse](t)(b.StartUpload(ctx, "app", nil))
	calculator, location := azcontainerregistry.NewBlobDigestCalculator(), *begun.Location
	for at := 0; at < len(content); at += 4000 {
		chunk := content[at:min(at+4000, len(content))]
		sent := must[azcontainerregistry.BlobClientUploadChunkResponse](t)(b.UploadChunk(ctx, location, bytes.NewReader(chunk), calculator,
			&azcontainerregistry.BlobClientUploadChunkOptions{
				RangeStart: to.Ptr(int32(at)), RangeEnd: to.Ptr(int32(at + len(chunk) - 1)),
			}))
		location = *sent.Location
	}
	status := must[azcontainerregistry.BlobClientGetUploadStatusResponse](t)(b.GetUploadStatus(ctx, location, nil))
	if *status.Range != "0-9999" {
		t.Errorf("the upload has %s", *status.Range)
	}
	done := must[azcontainerregistry.BlobClientCompleteUploadResponse](t)(b.CompleteUpload(ctx, location, calculator, nil))
	d := digest.FromBytes(content).String()
	if *done.DockerContentDigest != d {
		t.Errorf("uploaded %s", *done.DockerContentDigest)
	}
	got := must[azcontainerregistry.BlobClientGetBlobResponse](t)(b.GetBlob(ctx, "app", d, nil))
	text, err := io.ReadAll(got.BlobData)
	if err != nil || !bytes.Equal(text, content) {
		t.Errorf("read %d bytes, %v", len(text), err)
	}
	chunk := must[azcontainerregistry.BlobClientGetChunkResponse](t)(b.GetChunk(ctx, "app", d, "bytes=5-14", nil))
	if text, err = io.ReadAll(chunk.ChunkData); err != nil || string(text) != "5678901234" {
		t.Errorf("the chunk is %q, %v", text, err)
	}
	must[azcontainerregistry.BlobClientCheckBlobExistsResponse](t)(b.CheckBlobExists(ctx, "app", d, nil))
	must[azcontainerregistry.BlobClientCheckChunkExistsResponse](t)(b.CheckChunkExists(ctx, "app", d, "bytes=5-14", nil))
	must[azcontainerregistry.BlobClientMountBlobResponse](t)(b.MountBlob(ctx, "other", "app", d, nil))

	config := []byte("{}")
	f.pushBlob(t, "app", config)
	m := marshal(t, object{
		"schemaVersion": 2, "config": descriptorOf(ociConfig, config), "layers": []object{descriptorOf(ociLayer, content)},
	})
	c := f.sdk(t, "owner")
	put := must[azcontainerregistry.ClientUploadManifestResponse](t)(c.UploadManifest(ctx, "app", "v1",
		azcontainerregistry.ContentTypeApplicationVndOciImageManifestV1JSON, streaming.NopCloser(bytes.NewReader(m)), nil))
	read := must[azcontainerregistry.ClientGetManifestResponse](t)(c.GetManifest(ctx, "app", "v1",
		&azcontainerregistry.ClientGetManifestOptions{Accept: to.Ptr(ociManifest)}))
	if text, err = io.ReadAll(read.ManifestData); err != nil || !bytes.Equal(text, m) || *put.DockerContentDigest != *read.DockerContentDigest {
		t.Errorf("the manifest is %s, %v", text, err)
	}
	begun = must[azcontainerregistry.BlobClientStartUploadResponse](t)(b.StartUpload(ctx, "app", nil))
	must[azcontainerregistry.BlobClientCancelUploadResponse](t)(b.CancelUpload(ctx, *begun.Location, nil))
	must[azcontainerregistry.BlobClientDeleteBlobResponse](t)(b.DeleteBlob(ctx, "other", d, nil))
}

func TestLocksAreEnforced(t *testing.T) {
	t.Parallel()
	f := start(t)
	d := f.pushImage(t, "app", "v1").String()
	other := f.imageManifest(t, "app", "other", nil)
	lock := func(path, body string) {
		t.Helper()
		f.do(t, request{method: "PATCH", path: "/acr/v1/app" + path, body: []byte(body)}).want(t, 200)
	}
	get := func(path string) answer { return f.do(t, request{path: path}) }

	lock("/_tags/v1", `{"writeEnabled":false}`)
	f.put(t, "app", "v1", ociManifest, other).want(t, 405, "UNSUPPORTED")
	f.do(t, request{method: "DELETE", path: "/v2/app/manifests/v1"}).want(t, 405, "UNSUPPORTED")
	f.do(t, request{method: "DELETE", path: "/v2/app/manifests/" + d}).want(t, 405, "UNSUPPORTED")
	f.do(t, request{method: "DELETE", path: "/acr/v1/app/_tags/v1"}).want(t, 405, "UNSUPPORTED")
	f.do(t, request{method: "DELETE", path: "/acr/v1/app"}).want(t, 405, "UNSUPPORTED")
	lock("/_tags/v1", `{"writeEnabled":true,"readEnabled":false}`)
	get("/v2/app/manifests/v1").want(t, 405, "UNSUPPORTED")
	get("/v2/app/manifests/"+d).want(t, 200)
	lock("/_manifests/"+d, `{"readEnabled":false}`)
	get("/v2/app/manifests/"+d).want(t, 405, "UNSUPPORTED")
	lock("/_manifests/"+d, `{"readEnabled":true}`)
	lock("/_tags/v1", `{"readEnabled":true,"listEnabled":false}`)
	if a := get("/v2/app/tags/list").want(t, 200); strings.Contains(string(a.body), "v1") {
		t.Errorf("tags %s", a.body)
	}
	lock("", `{"writeEnabled":false}`)
	f.put(t, "app", "v2", ociManifest, other).want(t, 405, "UNSUPPORTED")
	f.do(t, request{method: "POST", path: "/v2/app/blobs/uploads/"}).want(t, 405, "UNSUPPORTED")
	lock("", `{"writeEnabled":true,"readEnabled":false,"listEnabled":false}`)
	layer := digest.FromBytes([]byte("layer of other")).String()
	get("/v2/app/blobs/"+layer).want(t, 405, "UNSUPPORTED")
	if a := get("/v2/_catalog").want(t, 200); strings.Contains(string(a.body), "app") {
		t.Errorf("catalog %s", a.body)
	}
	for _, bad := range []string{"", "[]", `{"writeEnabled":"no"}`} {
		f.do(t, request{method: "PATCH", path: "/acr/v1/app", body: []byte(bad)}).want(t, 400, "UNSUPPORTED")
	}
	f.do(t, request{method: "PATCH", path: "/acr/v1/none", body: []byte("{}")}).want(t, 404, "NAME_UNKNOWN")
}
