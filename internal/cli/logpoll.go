package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"github.com/drydockhq/drydock"
)

// poll reads the log as ACR's clients do: it asks for the length of the blob,
// reads what is new, and ends when the blob's metadata says how the run was.
func (l *runLog) poll(ctx context.Context) (string, error) {
	client, err := blob.NewClientWithNoCredential(l.link, &blob.ClientOptions{ClientOptions: l.clientOptions()})
	if err != nil {
		return "", drydock.Errorf(drydock.Failed, "the server's link to the log is broken: %w", err)
	}
	for pause := shortestWait; ; {
		end, size, err := l.look(ctx, client)
		if err != nil {
			return "", err
		}
		if size > l.at {
			pause = shortestWait
			if err := l.part(ctx, client, size); err != nil {
				return "", err
			}
			continue // what is complete is read to its end before that is believed
		}
		if end != "" {
			return end, nil
		}
		if err := l.app.Sleep(ctx, pause); err != nil {
			return "", err
		}
		pause = min(pause*3/2, longestWait)
	}
}

// look returns how the run was, if that is known, and the length of the log. A
// log that is not there yet is empty.
func (l *runLog) look(ctx context.Context, client *blob.Client) (end string, size int64, err error) {
	p, err := client.GetProperties(ctx, nil)
	var answer *azcore.ResponseError
	if errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, fmt.Errorf("asking for the log: %w", err)
	}
	for name, value := range p.Metadata {
		if strings.EqualFold(name, "complete") && value != nil {
			end = strings.ToLower(*value)
		}
	}
	if p.ContentLength != nil {
		size = *p.ContentLength
	}
	return end, size, nil
}

func (l *runLog) part(ctx context.Context, client *blob.Client, size int64) error {
	answer, err := client.DownloadStream(ctx, &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: l.at, Count: size - l.at}})
	if err != nil {
		return fmt.Errorf("reading the log: %w", err)
	}
	defer answer.Body.Close()
	n, err := io.Copy(l.to, answer.Body)
	l.at += n
	if err != nil && n == 0 {
		return fmt.Errorf("reading the log: %w", err)
	}
	return nil
}
