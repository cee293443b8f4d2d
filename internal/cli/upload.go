package cli

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/sourcetar"
)

const (
	uploadBlock    = 8 << 20 // bytes of a request; smaller sources are sent in one
	uploadParallel = 3       // requests at a time
)

// send brings the source to where the server finds it, and returns what it is
// called there.
func (s *source) send(c *call, r *registry) (any, error) {
	if s.folder == "" {
		if s.remote == "" {
			return nil, nil
		}
		c.say("Sending context to registry: %s...", r.name)
		return s.remote, nil
	}
	c.say("Packing source code into tar to upload...")
	place, err := r.do(c.ctx, request{method: http.MethodPost, path: r.path + "/listBuildSourceUploadUrl", version: tasksVersion})
	if err != nil {
		return nil, err
	}
	blob, err := blockblob.NewClientWithNoCredential(text(place, "uploadUrl"), &blockblob.ClientOptions{ClientOptions: r.session.clientOptions()})
	if err != nil {
		return nil, drydock.Errorf(drydock.Failed, "the server gives no place to upload to: %w", err)
	}
	progress := c.newProgress("Uploading")
	err = s.upload(c.ctx, blob, progress)
	progress.end()
	if err != nil {
		return nil, err
	}
	c.say("Sending context (%s) to registry: %s...", progress, r.name)
	return text(place, "relativePath"), nil
}

// upload packs the folder while it is sent, so that nothing of it is kept on
// the way.
func (s *source) upload(ctx context.Context, blob *blockblob.Client, progress *progress) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	from, to := io.Pipe()
	packed := make(chan error, 1)
	go func() {
		_, err := sourcetar.Source{Dir: s.folder, Dockerfile: s.file, NameInTar: s.dockerfile}.Write(ctx, to)
		to.CloseWithError(err)
		packed <- err
	}()
	_, err := blob.UploadStream(ctx, progress.reader(from), &blockblob.UploadStreamOptions{BlockSize: uploadBlock, Concurrency: uploadParallel})
	from.CloseWithError(errUploadEnded)
	packing := <-packed
	if packing != nil && !errors.Is(packing, errUploadEnded) && !errors.Is(packing, context.Canceled) {
		return packing
	}
	var answer *azcore.ResponseError
	if err != nil && !errors.As(err, &answer) {
		return drydock.Errorf(drydock.Unavailable, "uploading the source: %w", err)
	}
	return err
}

var errUploadEnded = errors.New("the upload has ended")
