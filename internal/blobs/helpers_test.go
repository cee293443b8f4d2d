package blobs_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/drydockhq/drydock/internal/blobs"
)

// service is a blob service over TLS, on a folder of its own.
type service struct {
	folder *blobs.Folder
	signer *blobs.Signer
	client *http.Client
	base   string // the account's URL
}

func newService(t *testing.T, dir string, maxSize int64, change ...func(*blobs.Handler)) *service {
	t.Helper()
	folder, err := blobs.OpenFolder(dir, blobs.FolderOptions{MaxSize: maxSize})
	if err != nil {
		t.Fatal(err)
	}
	signer := &blobs.Signer{Key: []byte("0123456789abcdef0123456789abcdef"), Now: time.Now}
	handler := &blobs.Handler{Store: folder, Signer: signer, Log: slog.New(slog.DiscardHandler), Now: time.Now, MaxSize: maxSize}
	for _, c := range change {
		c(handler)
	}
	server := httptest.NewTLSServer(handler)
	t.Cleanup(func() {
		server.Close()
		if err := folder.Close(); err != nil {
			t.Error(err)
		}
	})
	transport := server.Client().Transport.(*http.Transport).Clone()
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}
	t.Cleanup(transport.CloseIdleConnections)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	// The test server's certificate is for this domain.
	return &service{folder, signer, &http.Client{Transport: transport}, "https://example.com:" + port}
}

func (s *service) url(key blobs.Key, allow blobs.Permission) string {
	return s.signer.URL(s.base, key, allow, time.Now().Add(time.Hour))
}

// sdk returns the SDK's client of a signed URL, without repetitions.
func (s *service) sdk(t *testing.T, url string) *blockblob.Client {
	t.Helper()
	c, err := blockblob.NewClientWithNoCredential(url, &blockblob.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: s.client, Retry: policy.RetryOptions{MaxRetries: -1},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// do sends a request and returns the answer with its body.
func (s *service) do(t *testing.T, method, url, body string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

// content returns what a blob holds.
func content(t *testing.T, f *blobs.Folder, key blobs.Key) string {
	t.Helper()
	b, err := f.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	text, err := io.ReadAll(io.NewSectionReader(b, 0, b.Properties().Size))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
