package blobs_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/drydockhq/drydock/internal/blobs"
)

var key = blobs.Key{Container: "sources-1", Name: "source/20260101/context.tar.gz"}

func TestSDKUploadsInOnePieceAndReadsRanges(t *testing.T) {
	t.Parallel()
	s := newService(t, t.TempDir(), 1<<20)
	client := s.sdk(t, s.url(key, "rcw"))
	_, err := client.Upload(t.Context(), streaming.NopCloser(strings.NewReader("0123456789")), &blockblob.UploadOptions{
		Metadata:                map[string]*string{"from": to.Ptr("here")},
		HTTPHeaders:             &blob.HTTPHeaders{BlobContentType: to.Ptr("application/gzip")},
		TransactionalValidation: blob.TransferValidationTypeComputeCRC64(),
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := client.GetProperties(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if *p.ContentLength != 10 || *p.BlobType != blob.BlobTypeBlockBlob || *p.ContentType != "application/gzip" || p.LastModified == nil {
		t.Errorf("properties %+v", p)
	}
	if v := p.Metadata["From"]; v == nil || *v != "here" {
		t.Errorf("metadata %v", p.Metadata)
	}
	d, err := client.DownloadStream(t.Context(), &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: 3, Count: 4}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(d.NewRetryReader(t.Context(), nil))
	if err != nil || string(text) != "3456" || *d.ContentRange != "bytes 3-6/10" || *d.ETag != *p.ETag {
		t.Errorf("range: %q, %v, %v", text, *d.ContentRange, err)
	}
}

func TestSDKUploadsBlocks(t *testing.T) {
	t.Parallel()
	s := newService(t, t.TempDir(), 16<<20)
	client := s.sdk(t, s.url(key, "rcw"))
	want := make([]byte, 9<<20+17)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(want)
	for range 2 { // the second replaces the first
		_, err := client.UploadStream(t.Context(), bytes.NewReader(want), &blockblob.UploadStreamOptions{BlockSize: 1 << 20, Concurrency: 4})
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want))
		n, err := client.DownloadBuffer(t.Context(), got, &blob.DownloadBufferOptions{BlockSize: 700_001, Concurrency: 3})
		if err != nil || n != int64(len(want)) || sha256.Sum256(got) != sha256.Sum256(want) {
			t.Fatalf("read %d bytes, %v", n, err)
		}
		want = want[:6<<20]
	}
	list, err := client.GetBlockList(t.Context(), blockblob.BlockListTypeAll, nil)
	if err != nil || len(list.CommittedBlocks) != 6 || len(list.UncommittedBlocks) != 0 {
		t.Errorf("blocks %+v, %v", list.BlockList, err)
	}
}

func TestSDKCommitsAnEmptyList(t *testing.T) {
	t.Parallel()
	s := newService(t, t.TempDir(), 1<<20)
	client := s.sdk(t, s.url(key, "rcw"))
	if _, err := client.CommitBlockList(t.Context(), nil, nil); err != nil {
		t.Fatal(err)
	}
	p, err := client.GetProperties(t.Context(), nil)
	if err != nil || *p.ContentLength != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}
