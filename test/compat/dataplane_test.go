package compat_test

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	acr "github.com/Azure/azure-sdk-for-go/sdk/containers/azcontainerregistry"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// plane is the SDK of a registry's own API. done has the methods that were used.
type plane struct {
	*sdk
	t     *testing.T
	acr   *acr.Client
	blobs *acr.BlobClient
	auth  *acr.AuthenticationClient
	done  map[string]bool
}

// dataPlane uses each method of the SDK of a registry's own API.
func dataPlane(t *testing.T, a *sdk) {
	server, o := a.Server, a.Server.ClientOptions()
	o.Cloud.Services[acr.ServiceName] = cloud.ServiceConfiguration{Audience: "https://" + server.Host("management")}
	p := &plane{
		sdk: a, t: t, done: map[string]bool{},
		acr:   must(acr.NewClient("https://"+a.login, server.Admin(), &acr.ClientOptions{ClientOptions: o}))(t),
		blobs: must(acr.NewBlobClient("https://"+a.login, server.Admin(), &acr.BlobClientOptions{ClientOptions: o}))(t),
		auth:  must(acr.NewAuthenticationClient("https://"+a.login, &acr.AuthenticationClientOptions{ClientOptions: o}))(t),
	}
	p.tokens()
	config, layer := p.uploadBlob([]byte("{}")), p.uploadBlob([]byte("a layer"))
	p.lookAtBlob(layer)
	p.cancelUpload()
	manifest := p.uploadManifest(config, layer)
	p.lists(manifest)
	p.attributes(manifest)
	p.deletions(manifest, layer)
	for _, client := range []any{p.acr, p.blobs, p.auth} {
		kind := reflect.TypeOf(client)
		for i := range kind.NumMethod() {
			if name := kind.Elem().Name() + "." + kind.Method(i).Name; !p.done[name] {
				t.Errorf("no case uses %s", name)
			}
		}
	}
}

// uses notes that a method is used.
func (p *plane) uses(methods ...string) {
	for _, m := range methods {
		p.done[m] = true
	}
}

// tokens exchanges a token of the authority for the registry's.
func (p *plane) tokens() {
	t := p.t
	p.uses("AuthenticationClient.ExchangeAADAccessTokenForACRRefreshToken", "AuthenticationClient.ExchangeACRRefreshTokenForACRAccessToken")
	aad := must(p.Server.Admin().GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://" + p.Server.Host("management") + "/.default"}}))(t)
	refresh := must(p.auth.ExchangeAADAccessTokenForACRRefreshToken(t.Context(), acr.PostContentSchemaGrantTypeAccessToken, p.login,
		&acr.AuthenticationClientExchangeAADAccessTokenForACRRefreshTokenOptions{AccessToken: &aad.Token, Tenant: &p.Server.Tenant}))(t)
	access := must(p.auth.ExchangeACRRefreshTokenForACRAccessToken(t.Context(), p.login, "registry:catalog:*", *refresh.RefreshToken,
		&acr.AuthenticationClientExchangeACRRefreshTokenForACRAccessTokenOptions{GrantType: to.Ptr(acr.TokenGrantTypeRefreshToken)}))(t)
	if *access.AccessToken == "" {
		t.Error("there is no access token")
	}
}

// uploadBlob sends a blob in two parts, and asks in between how much is there.
func (p *plane) uploadBlob(content []byte) v1.Descriptor {
	t, ctx := p.t, p.t.Context()
	p.uses("BlobClient.StartUpload", "BlobClient.UploadChunk", "BlobClient.GetUploadStatus", "BlobClient.CompleteUpload")
	location := must(p.blobs.StartUpload(ctx, "team/app", nil))(t).Location
	calculator := acr.NewBlobDigestCalculator()
	for at, part := range [][]byte{content[:1], content[1:]} {
		location = must(p.blobs.UploadChunk(ctx, *location, bytes.NewReader(part), calculator, &acr.BlobClientUploadChunkOptions{
			RangeStart: to.Ptr(int32(at)), RangeEnd: to.Ptr(int32(at + len(part) - 1)),
		}))(t).Location
		if status := must(p.blobs.GetUploadStatus(ctx, *location, nil))(t); status.Range == nil {
			t.Error("the status of an upload has no range")
		}
	}
	done := must(p.blobs.CompleteUpload(ctx, *location, calculator, nil))(t)
	want := digest.FromBytes(content)
	if *done.DockerContentDigest != want.String() {
		t.Errorf("the blob is %s, not %s", *done.DockerContentDigest, want)
	}
	return v1.Descriptor{MediaType: "application/octet-stream", Digest: want, Size: int64(len(content))}
}

// lookAtBlob reads a blob, whole and in part, and mounts it elsewhere.
func (p *plane) lookAtBlob(blob v1.Descriptor) {
	t, ctx, id := p.t, p.t.Context(), blob.Digest.String()
	p.uses("BlobClient.CheckBlobExists", "BlobClient.GetBlob", "BlobClient.CheckChunkExists", "BlobClient.GetChunk", "BlobClient.MountBlob")
	if c := must(p.blobs.CheckBlobExists(ctx, "team/app", id, nil))(t); *c.ContentLength != blob.Size {
		t.Errorf("the blob has %d bytes", *c.ContentLength)
	}
	whole := must(p.blobs.GetBlob(ctx, "team/app", id, nil))(t)
	reader := must(acr.NewDigestValidationReader(id, whole.BlobData))(t)
	if text, err := io.ReadAll(reader); err != nil || string(text) != "a layer" {
		t.Errorf("the blob is %q, %v", text, err)
	}
	must(p.blobs.CheckChunkExists(ctx, "team/app", id, "bytes=2-4", nil))(t)
	part := must(p.blobs.GetChunk(ctx, "team/app", id, "bytes=2-4", nil))(t)
	if text, err := io.ReadAll(part.ChunkData); err != nil || string(text) != "lay" {
		t.Errorf("a part of the blob is %q, %v", text, err)
	}
	must(p.blobs.MountBlob(ctx, "team/other", "team/app", id, nil))(t)
	must(p.blobs.CheckBlobExists(ctx, "team/other", id, nil))(t)
}

func (p *plane) cancelUpload() {
	t, ctx := p.t, p.t.Context()
	p.uses("BlobClient.CancelUpload")
	location := must(p.blobs.StartUpload(ctx, "team/app", nil))(t).Location
	must(p.blobs.CancelUpload(ctx, *location, nil))(t)
	if _, err := p.blobs.GetUploadStatus(ctx, *location, nil); err == nil {
		t.Error("an upload that was given up is still there")
	}
}

// uploadManifest sends a manifest under two tags and returns its digest.
func (p *plane) uploadManifest(config, layer v1.Descriptor) string {
	t, ctx := p.t, p.t.Context()
	p.uses("Client.UploadManifest", "Client.GetManifest")
	config.MediaType, layer.MediaType = v1.MediaTypeImageConfig, v1.MediaTypeImageLayerGzip
	m := v1.Manifest{MediaType: v1.MediaTypeImageManifest, Config: config, Layers: []v1.Descriptor{layer}}
	m.SchemaVersion = 2
	text := must(json.Marshal(m))(t)
	for _, tag := range []string{"v1", "v2"} {
		must(p.acr.UploadManifest(ctx, "team/app", tag, v1.MediaTypeImageManifest, streaming.NopCloser(bytes.NewReader(text)), nil))(t)
	}
	got := must(p.acr.GetManifest(ctx, "team/app", "v2", &acr.ClientGetManifestOptions{Accept: to.Ptr(v1.MediaTypeImageManifest)}))(t)
	if back := must(io.ReadAll(got.ManifestData))(t); !bytes.Equal(back, text) {
		t.Errorf("the manifest is\n%s\nand was\n%s", back, text)
	}
	return *got.DockerContentDigest
}

// lists asks what there is.
func (p *plane) lists(manifest string) {
	t := p.t
	p.uses("Client.NewListRepositoriesPager", "Client.NewListTagsPager", "Client.NewListManifestsPager")
	names := all(t, p.acr.NewListRepositoriesPager(nil), func(r acr.ClientListRepositoriesResponse) []*string { return r.Names })
	if len(names) != 1 || *names[0] != "team/app" {
		t.Errorf("%d repositories", len(names))
	}
	tags := all(t, p.acr.NewListTagsPager("team/app", &acr.ClientListTagsOptions{MaxNum: to.Ptr[int32](1)}), func(r acr.ClientListTagsResponse) []*acr.TagAttributes { return r.Tags })
	if len(tags) != 2 || *tags[0].Name != "v1" || *tags[1].Digest != manifest {
		t.Errorf("the tags are %+v", tags)
	}
	manifests := all(t, p.acr.NewListManifestsPager("team/app", nil), func(r acr.ClientListManifestsResponse) []*acr.ManifestAttributes { return r.Attributes })
	if len(manifests) != 1 || *manifests[0].Digest != manifest || len(manifests[0].Tags) != 2 {
		t.Errorf("the manifests are %+v", manifests)
	}
}

// attributes shows and locks a repository, a tag and a manifest.
func (p *plane) attributes(manifest string) {
	t, ctx := p.t, p.t.Context()
	p.uses("Client.GetRepositoryProperties", "Client.GetTagProperties", "Client.GetManifestProperties",
		"Client.UpdateRepositoryProperties", "Client.UpdateTagProperties", "Client.UpdateManifestProperties")
	if r := must(p.acr.GetRepositoryProperties(ctx, "team/app", nil))(t); *r.TagCount != 2 || *r.ManifestCount != 1 {
		t.Errorf("the repository is %+v", r)
	}
	if r := must(p.acr.GetTagProperties(ctx, "team/app", "v1", nil))(t); *r.Tag.Digest != manifest {
		t.Errorf("the tag is %+v", r.Tag)
	}
	if r := must(p.acr.GetManifestProperties(ctx, "team/app", manifest, nil))(t); *r.Manifest.MediaType != v1.MediaTypeImageManifest {
		t.Errorf("the manifest is %+v", r.Manifest)
	}
	for _, can := range []bool{false, true} {
		must(p.acr.UpdateTagProperties(ctx, "team/app", "v1", &acr.ClientUpdateTagPropertiesOptions{Value: &acr.TagWriteableProperties{CanDelete: &can}}))(t)
		must(p.acr.UpdateManifestProperties(ctx, "team/app", manifest, &acr.ClientUpdateManifestPropertiesOptions{Value: &acr.ManifestWriteableProperties{CanDelete: &can}}))(t)
		must(p.acr.UpdateRepositoryProperties(ctx, "team/app", &acr.ClientUpdateRepositoryPropertiesOptions{Value: &acr.RepositoryWriteableProperties{CanDelete: &can}}))(t)
		if !can {
			if _, err := p.acr.DeleteTag(ctx, "team/app", "v1", nil); err == nil {
				t.Error("a locked tag was deleted")
			}
		}
	}
}

// deletions takes it all away, from the tag to the repository.
func (p *plane) deletions(manifest string, layer v1.Descriptor) {
	t, ctx := p.t, p.t.Context()
	p.uses("Client.DeleteTag", "Client.DeleteManifest", "BlobClient.DeleteBlob", "Client.DeleteRepository")
	must(p.acr.DeleteTag(ctx, "team/app", "v1", nil))(t)
	if r := must(p.acr.GetRepositoryProperties(ctx, "team/app", nil))(t); *r.TagCount != 1 {
		t.Errorf("%d tags are left", *r.TagCount)
	}
	must(p.acr.DeleteManifest(ctx, "team/app", manifest, nil))(t)
	must(p.blobs.DeleteBlob(ctx, "team/app", layer.Digest.String(), nil))(t)
	p.push(t, p.login+"/team/more:v1")
	must(p.acr.DeleteRepository(ctx, "team/more", nil))(t)
	names := all(t, p.acr.NewListRepositoriesPager(nil), func(r acr.ClientListRepositoriesResponse) []*string { return r.Names })
	if has(names, func(n *string) bool { return *n == "team/more" }) {
		t.Error("a deleted repository is still in the list")
	}
}
