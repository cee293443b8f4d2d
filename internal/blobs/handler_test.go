package blobs_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock/internal/blobs"
)

func TestErrorsAreAzures(t *testing.T) {
	t.Parallel()
	s := newService(t, t.TempDir(), 100)
	ok := s.url(key, "rcw")
	missing := s.url(blobs.Key{Container: "sources-1", Name: "none"}, "r")
	if resp, body := s.do(t, "PUT", ok, "hello", "x-ms-blob-type", "BlockBlob"); resp.StatusCode != 201 {
		t.Fatal(resp.Status, body)
	}
	block := strings.Replace(ok, "?", "?comp=block&blockid=YQ%3D%3D&", 1)
	list := strings.Replace(ok, "?", "?comp=blocklist&", 1)
	tests := []struct {
		name, method, url, body string
		header                  []string
		status                  int
		code                    string
	}{
		{"no signature", "GET", strings.Split(ok, "?")[0], "", nil, 401, "NoAuthenticationInformation"},
		{"another blob's signature", "GET", strings.Replace(ok, "context", "other", 1), "", nil, 403, "AuthenticationFailed"},
		{"more permissions", "GET", strings.Replace(s.url(key, "cw"), "sp=cw", "sp=rcw", 1), "", nil, 403, "AuthenticationFailed"},
		{"a longer time", "GET", strings.Replace(ok, "se=20", "se=21", 1), "", nil, 403, "AuthenticationFailed"},
		{"expired", "GET", s.signer.URL(s.base, key, "r", time.Now().Add(-time.Second)), "", nil, 403, "AuthenticationFailed"},
		{"write with read", "PUT", s.url(key, "r"), "x", nil, 403, "AuthorizationPermissionMismatch"},
		{"read with write", "GET", s.url(key, "cw"), "", nil, 403, "AuthorizationPermissionMismatch"},
		{"create over one", "PUT", s.url(key, "c"), "x", []string{"x-ms-blob-type", "BlockBlob"}, 409, "BlobAlreadyExists"},
		{"missing", "GET", missing, "", nil, 404, "BlobNotFound"},
		{"no name", "GET", s.base + "/sources-1", "", nil, 400, "InvalidUri"},
		{"dots", "GET", s.base + "/sources-1/a/%2e%2e/%2e%2e/etc?sig=x", "", nil, 400, "InvalidUri"},
		{"verb", "DELETE", ok, "", nil, 405, "UnsupportedHttpVerb"},
		{"operation", "PUT", ok + "&comp=appendblock", "x", nil, 400, "InvalidQueryParameterValue"},
		{"type", "PUT", ok, "x", []string{"x-ms-blob-type", "PageBlob"}, 400, "InvalidHeaderValue"},
		{"too large", "PUT", ok, strings.Repeat("x", 101), []string{"x-ms-blob-type", "BlockBlob"}, 413, "RequestBodyTooLarge"},
		{"md5", "PUT", ok, "x", []string{"x-ms-blob-type", "BlockBlob", "Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="}, 400, "Md5Mismatch"},
		{"range", "GET", ok, "", []string{"x-ms-range", "bytes=5-"}, 416, "InvalidRange"},
		{"range backwards", "GET", ok, "", []string{"Range", "bytes=3-2"}, 400, "InvalidHeaderValue"},
		{"etag", "GET", ok, "", []string{"If-Match", `"0x1"`}, 412, "ConditionNotMet"},
		{"exists", "PUT", ok, "x", []string{"x-ms-blob-type", "BlockBlob", "If-None-Match", "*"}, 409, "BlobAlreadyExists"},
		{"etag of put", "PUT", ok, "x", []string{"x-ms-blob-type", "BlockBlob", "If-Match", `"0x1"`}, 412, "ConditionNotMet"},
		{"metadata", "PUT", ok, "x", []string{"x-ms-blob-type", "BlockBlob", "x-ms-meta-a-b", "1"}, 400, "InvalidMetadata"},
		{"block id", "PUT", strings.Replace(block, "YQ%3D%3D", "%21", 1), "x", nil, 400, "InvalidBlockId"},
		{"block list", "PUT", list, "<BlockList><Latest>YWE=</Latest></BlockList>", nil, 400, "InvalidBlockList"},
		{"no list", "PUT", list, "", nil, 400, "InvalidXmlDocument"},
		{"no xml", "PUT", list, "<BlockList><Latest>", nil, 400, "InvalidXmlDocument"},
		{"list of other things", "PUT", list, "<BlockList><Sparse>YWE=</Sparse></BlockList>", nil, 400, "InvalidXmlDocument"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			resp, body := s.do(t, tt.method, tt.url, tt.body, tt.header...)
			if resp.StatusCode != tt.status || resp.Header.Get("x-ms-error-code") != tt.code || !strings.Contains(body, "<Code>"+tt.code+"</Code>") {
				t.Errorf("%s %s: %s", resp.Status, resp.Header.Get("x-ms-error-code"), body)
			}
		})
	}
	t.Cleanup(func() {
		if text := content(t, s.folder, key); text != "hello" {
			t.Errorf("the blob holds %q", text)
		}
	})
}

func TestRanges(t *testing.T) {
	t.Parallel()
	s := newService(t, t.TempDir(), 100)
	url := s.url(key, "rcw")
	s.do(t, "PUT", url, "0123456789", "x-ms-blob-type", "BlockBlob")
	for header, want := range map[string]string{
		"bytes=0-3":                   "206 0123 bytes 0-3/10",
		"bytes=8-400":                 "206 89 bytes 8-9/10",
		"bytes=9-":                    "206 9 bytes 9-9/10",
		"bytes=-3":                    "200 0123456789 ",
		"bytes=0-1,3-4":               "200 0123456789 ",
		"pieces=0-1":                  "200 0123456789 ",
		"bytes=10-10":                 "416",
		"bytes=a-b":                   "400",
		"bytes=99999999999999999999-": "400",
	} {
		resp, body := s.do(t, "GET", url, "", "Range", header)
		got := fmt.Sprintf("%d %s %s", resp.StatusCode, body, resp.Header.Get("Content-Range"))
		if !strings.HasPrefix(got, want) || resp.StatusCode < 300 && got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
}

func TestHalfAnUploadIsDropped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := newService(t, dir, 1<<20)
	for _, url := range []string{s.url(key, "cw"), strings.Replace(s.url(key, "cw"), "?", "?comp=block&blockid=YQ%3D%3D&", 1)} {
		req, err := http.NewRequest(http.MethodPut, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		transport := s.client.Transport.(*http.Transport)
		raw, err := transport.DialContext(t.Context(), "tcp", "")
		if err != nil {
			t.Fatal(err)
		}
		config := transport.TLSClientConfig.Clone()
		config.ServerName, config.NextProtos = "example.com", nil
		conn := tls.Client(raw, config)
		fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: example.com\r\nx-ms-blob-type: BlockBlob\r\nContent-Length: 1000\r\n\r\n%s",
			req.URL.RequestURI(), strings.Repeat("x", 600))
		// The answer comes when the upload was dropped.
		if err := conn.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusBadRequest {
			t.Error(resp.Status)
		}
		conn.Close()
	}
	if resp, _ := s.do(t, "HEAD", s.url(key, "r"), ""); resp.StatusCode != 404 {
		t.Error("half a blob is there:", resp.Status)
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			t.Error("left behind:", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFollowSendsLinesAsTheyCome(t *testing.T) {
	t.Parallel()
	s := newService(t, t.TempDir(), 100)
	logKey := blobs.Key{Container: "logs-1", Name: "ca1"}
	a, err := s.folder.Append(t.Context(), logKey, blobs.Attributes{Headers: map[string]string{"content-type": "text/plain"}})
	if err != nil {
		t.Fatal(err)
	}
	url := s.url(logKey, "r")
	write(t, a, "one\r\n")
	req, err := http.NewRequestWithContext(t.Context(), "GET", url+"&comp=follow", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	for i, line := range []string{"one\r\n", "two\r\n", "three\r\n"} {
		if i > 0 {
			write(t, a, line)
		}
		if got, err := lines.ReadString('\n'); err != nil || got != line {
			t.Fatalf("%q, %v", got, err)
		}
		head, _ := s.do(t, "HEAD", url, "")
		if head.Header.Get("x-ms-meta-Complete") != "" || head.Header.Get("x-ms-blob-type") != "AppendBlob" {
			t.Errorf("HEAD of a growing log: %v", head.Header)
		}
	}
	write(t, a, "four\r\n")
	if err := a.Seal(map[string]string{"Complete": "successful"}); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(lines)
	if err != nil || string(rest) != "four\r\n" || resp.Trailer.Get("x-ms-meta-Complete") != "successful" || resp.Trailer.Get("x-ms-sealed") != "true" {
		t.Errorf("%q, %v, %v", rest, resp.Trailer, err)
	}
	head, _ := s.do(t, "HEAD", url, "")
	if head.Header.Get("x-ms-meta-Complete") != "successful" || head.ContentLength != int64(len("one\r\ntwo\r\nthree\r\nfour\r\n")) {
		t.Errorf("HEAD of a whole log: %v", head.Header)
	}
	if _, body := s.do(t, "GET", url+"&comp=follow&offset=5", ""); body != "two\r\nthree\r\nfour\r\n" {
		t.Errorf("followed from the second line: %q", body)
	}
}

func write(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}
