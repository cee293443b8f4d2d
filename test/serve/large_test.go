package serve_test

import (
	"archive/tar"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock/test/serve"
)

// contextSize is that of the large context: 128 MiB, or $LARGE_CONTEXT_MIB.
func contextSize() int64 {
	if n, err := strconv.Atoi(os.Getenv("LARGE_CONTEXT_MIB")); err == nil {
		return int64(n) << 20
	}
	return 128 << 20
}

// largeContext writes a context with a task and a large file.
func largeContext(w io.Writer, size int64) error {
	t := tar.NewWriter(w)
	for name, text := range map[string]string{
		"acr-task.yaml": "steps:\n- build: -t big .\n- cmd: busybox stat -c '%s big' big\n",
		"Dockerfile":    "FROM busybox\nCOPY big /big\n",
	} {
		if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}); err != nil {
			return err
		}
		if _, err := io.WriteString(t, text); err != nil {
			return err
		}
	}
	if err := t.WriteHeader(&tar.Header{Name: "big", Mode: 0o644, Size: size}); err != nil {
		return err
	}
	random := rand.NewChaCha8([32]byte{}) // nothing that could be compressed
	if _, err := io.CopyN(t, random, size); err != nil {
		return err
	}
	return t.Close()
}

// A large context is streamed: from the client to the disk, and from there into
// the source, the build and the container. The server never has it in memory.
func TestLargeContext(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{hub(t)}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	small := a.Upload("contoso", "-- acr-task.yaml --\nsteps:\n- build: -t small .\n- cmd: busybox true\n-- Dockerfile --\nFROM busybox\nCOPY . /\n")
	if text, end := a.WaitLog("contoso", a.Schedule("contoso", fileTask(small))); end != "successful" {
		t.Fatal(text)
	}
	before, size := s.PeakMemory(), contextSize()
	a.Patience = 3*time.Minute + time.Duration(size>>20)*200*time.Millisecond
	place, err := a.Registries.GetBuildSourceUploadURL(t.Context(), serve.Group, "contoso", nil)
	if err != nil {
		t.Fatal(err)
	}
	body, w := io.Pipe()
	go func() { w.CloseWithError(largeContext(w, size)) }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, *place.UploadURL, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("x-ms-blob-type", "BlockBlob")
	const headers, end = 3*512 + 2*512, 2 * 512 // three headers, two small files
	req.ContentLength = headers + size + end
	resp, err := s.HTTP().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Fatal(resp.Status)
	}
	text, ended := a.WaitLog("contoso", a.Schedule("contoso", fileTask(*place.RelativePath)))
	if ended != "successful" || !strings.Contains(text, fmt.Sprintf("%d big\r\n", size)) {
		t.Errorf("%s\n%s", ended, text)
	}
	grown := s.PeakMemory() - before
	t.Logf("a context of %d MiB: %d KiB at the most, %d KiB more than with a small one", size>>20, before+grown, grown)
	if grown > 48<<10 {
		t.Errorf("the server took %d MiB for a context of %d MiB", grown>>10, size>>20)
	}
}
