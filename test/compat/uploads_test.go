package compat_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/drydockhq/drydock/test/serve"
)

// folder returns a folder with a task and so many bytes of something else, packed.
func folder(t *testing.T, size int) []byte {
	t.Helper()
	filling := make([]byte, size)
	rand.Read(filling)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for name, content := range map[string][]byte{"acb.yaml": []byte("steps:\n- cmd: busybox wc -c filling\n"), "filling": filling} {
		err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))})
		if _, writeErr := w.Write(content); errors.Join(err, writeErr) != nil {
			t.Fatal(errors.Join(err, writeErr))
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// uploads sends a folder in each of the ways that the Blob SDK has, and has a run
// look at what came.
func uploads(t *testing.T, a *sdk) {
	const size = 3 << 20
	content := folder(t, size)
	ways := map[string]func(context.Context, *blockblob.Client) error{
		"single put": func(ctx context.Context, c *blockblob.Client) error {
			_, err := c.Upload(ctx, streaming.NopCloser(bytes.NewReader(content)), nil)
			return err
		},
		"block list": func(ctx context.Context, c *blockblob.Client) error { return inBlocks(ctx, c, content) },
		"stream": func(ctx context.Context, c *blockblob.Client) error {
			_, err := c.UploadStream(ctx, bytes.NewReader(content), &blockblob.UploadStreamOptions{BlockSize: 1 << 20, Concurrency: 3})
			return err
		},
	}
	for name, upload := range ways {
		place := must(a.acr.NewRegistriesClient().GetBuildSourceUploadURL(t.Context(), serve.Group, a.registry, nil))(t)
		client := must(blockblob.NewClientWithNoCredential(*place.UploadURL, &blockblob.ClientOptions{ClientOptions: a.Server.ClientOptions()}))(t)
		if err := upload(t.Context(), client); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, log := a.schedule(t, &armcontainerregistry.FileTaskRunRequest{
			Type: to.Ptr("FileTaskRunRequest"), SourceLocation: place.RelativePath, TaskFilePath: to.Ptr("acb.yaml"), Platform: linux(),
		})
		if !strings.Contains(log, fmt.Sprint("\r\n", size, " filling\r\n")) {
			t.Errorf("%s:\n%s", name, log)
		}
	}
}

// inBlocks sends blocks in any order, and then says in which they belong.
func inBlocks(ctx context.Context, c *blockblob.Client, content []byte) error {
	const block = 1 << 20
	var ids []string
	for at := 0; at < len(content); at += block {
		ids = append(ids, base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%08d", at)))
	}
	for i := len(ids) - 1; i >= 0; i-- {
		part := content[i*block : min((i+1)*block, len(content))]
		if _, err := c.StageBlock(ctx, ids[i], streaming.NopCloser(bytes.NewReader(part)), nil); err != nil {
			return err
		}
	}
	_, err := c.CommitBlockList(ctx, ids, nil)
	return err
}
