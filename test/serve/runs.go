package serve

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"golang.org/x/tools/txtar"
)

// Upload uploads the files of a txtar archive as a context, and returns the path
// by which runs name it.
func (a *Azure) Upload(registry, archive string) string {
	t := a.Server.t
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, f := range txtar.Parse([]byte(archive)).Files {
		if err := w.WriteHeader(&tar.Header{Name: f.Name, Mode: 0o644, Size: int64(len(f.Data))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.Data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return a.UploadBytes(registry, b.Bytes())
}

// UploadBytes uploads what may be no context at all.
func (a *Azure) UploadBytes(registry string, content []byte) string {
	t := a.Server.t
	t.Helper()
	place, err := a.Registries.GetBuildSourceUploadURL(t.Context(), Group, registry, nil)
	if err != nil {
		t.Fatal(err)
	}
	client, err := blockblob.NewClientWithNoCredential(*place.UploadURL, &blockblob.ClientOptions{ClientOptions: a.Server.ClientOptions()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Upload(t.Context(), streaming.NopCloser(bytes.NewReader(content)), nil); err != nil {
		t.Fatal(err)
	}
	return *place.RelativePath
}

// Schedule schedules a run and returns its id.
func (a *Azure) Schedule(registry string, request armcontainerregistry.RunRequestClassification) string {
	t := a.Server.t
	t.Helper()
	poller, err := a.Registries.BeginScheduleRun(t.Context(), Group, registry, request, nil)
	if err != nil {
		t.Fatal(err)
	}
	run, err := poller.PollUntilDone(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return *run.Properties.RunID
}

// Task is a request to run a task file that has no source.
func Task(yaml string) *armcontainerregistry.EncodedTaskRunRequest {
	return &armcontainerregistry.EncodedTaskRunRequest{
		Type:               to.Ptr("EncodedTaskRunRequest"),
		EncodedTaskContent: to.Ptr(base64.StdEncoding.EncodeToString([]byte(yaml))),
		Platform:           &armcontainerregistry.PlatformProperties{OS: to.Ptr(armcontainerregistry.OSLinux)},
	}
}

// Run returns a run.
func (a *Azure) Run(registry, id string) *armcontainerregistry.RunProperties {
	t := a.Server.t
	t.Helper()
	r, err := a.Runs.Get(t.Context(), Group, registry, id, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r.Properties
}

// LogClient returns a client of a run's log.
func (a *Azure) LogClient(registry, id string) *blob.Client {
	t := a.Server.t
	t.Helper()
	link, err := a.Runs.GetLogSasURL(t.Context(), Group, registry, id, nil)
	if err != nil {
		t.Fatal(err)
	}
	client, err := blob.NewClientWithNoCredential(*link.LogLink, &blob.ClientOptions{ClientOptions: a.Server.ClientOptions()})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// WaitLog polls the log of a run as az does, until it is complete, and returns
// it with how the run ended.
func (a *Azure) WaitLog(registry, id string) (text, end string) {
	t := a.Server.t
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), cmp.Or(a.Patience, 3*time.Minute), fmt.Errorf("run %s does not end", id))
	defer cancel()
	client := a.LogClient(registry, id)
	var log strings.Builder
	for {
		p, err := client.GetProperties(ctx, nil)
		if err != nil && !strings.Contains(err.Error(), "404") {
			t.Fatal(err)
		}
		if err == nil {
			a.read(ctx, client, &log, *p.ContentLength)
			if end := p.Metadata["Complete"]; end != nil {
				return log.String(), *end
			}
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			t.Fatal(context.Cause(ctx), "\n", log.String())
		}
	}
}

// read reads what has been added to a log.
func (a *Azure) read(ctx context.Context, client *blob.Client, log *strings.Builder, size int64) {
	t := a.Server.t
	t.Helper()
	from := int64(log.Len())
	if size <= from {
		return
	}
	part, err := client.DownloadStream(ctx, &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: from, Count: size - from}})
	if err != nil {
		t.Fatal(err)
	}
	defer part.Body.Close()
	if _, err := io.Copy(log, part.Body); err != nil {
		t.Fatal(err)
	}
}

// WaitStatus waits until a run is in one of some states.
func (a *Azure) WaitStatus(registry, id string, wanted ...armcontainerregistry.RunStatus) armcontainerregistry.RunStatus {
	t := a.Server.t
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		status := *a.Run(registry, id).Status
		for _, w := range wanted {
			if status == w {
				return status
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("run ", id, " is ", status, ", not ", wanted)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
