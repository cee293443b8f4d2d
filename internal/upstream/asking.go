package upstream

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/pause"
)

// asking is one question to a repository.
type asking struct {
	registry   name.Registry
	repository string
	query      Query
	transport  http.RoundTripper
	now        func() time.Time
}

// manifestTypes are asked for as runs do, so that the digest is the one that they
// would get: an index rather than one of its images.
var manifestTypes = strings.Join([]string{
	"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json", "*/*",
}, ", ")

// maxManifest is how many bytes of a manifest are read, as in registries.
const maxManifest = 4 << 20

// with asks as somebody, with HEAD and where that doesn't say enough with GET.
func (a asking) with(ctx context.Context, c drydock.Credential) (Answer, error) {
	seen := &recorder{next: a.transport}
	auth := authn.Anonymous
	if c.Username != "" || c.Password != "" {
		auth = &authn.Basic{Username: c.Username, Password: c.Password}
	}
	scope := "repository:" + a.repository + ":" + transport.PullScope
	signed, err := transport.NewWithContext(ctx, a.registry, auth, transport.NewUserAgent(seen, "drydock"), []string{scope})
	if err != nil {
		return Answer{}, a.problem(ctx, seen, err)
	}
	client := &http.Client{Transport: signed}
	answer, enough, err := a.request(ctx, client, http.MethodHead)
	if err == nil && !enough {
		answer, _, err = a.request(ctx, client, http.MethodGet)
	}
	if err != nil {
		return Answer{}, a.problem(ctx, seen, err)
	}
	answer.Pause = exhausted(seen.last(), a.now())
	return answer, nil
}

// request asks once, and reports whether the answer says enough.
func (a asking) request(ctx context.Context, client *http.Client, method string) (Answer, bool, error) {
	u := url.URL{
		Scheme: a.registry.Scheme(), Host: a.registry.RegistryStr(),
		Path: "/v2/" + a.repository + "/manifests/" + a.query.Image.Tag,
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return Answer{}, false, err
	}
	req.Header.Set("Accept", manifestTypes)
	if method == http.MethodGet && a.query.Validator != "" && a.query.Digest != "" {
		req.Header.Set("If-None-Match", a.query.Validator)
	}
	resp, err := client.Do(req)
	if err != nil {
		return Answer{}, false, err
	}
	defer resp.Body.Close()
	head := method == http.MethodHead
	switch resp.StatusCode {
	case http.StatusOK:
		return readManifest(resp, head)
	case http.StatusNotFound:
		return Answer{}, true, nil
	case http.StatusNotModified:
		if !head {
			return Answer{Digest: a.query.Digest, Validator: a.query.Validator}, true, nil
		}
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		if head { // it is not served
			return Answer{}, false, nil
		}
	}
	return Answer{}, false, transport.CheckError(resp, http.StatusOK)
}

// readManifest reads the digest of a manifest from the header, or off its bytes.
func readManifest(resp *http.Response, head bool) (Answer, bool, error) {
	if d := resp.Header.Get("Docker-Content-Digest"); drydock.ValidDigest(d) {
		return Answer{Digest: d, Validator: validator(resp, head)}, true, nil
	}
	if head {
		return Answer{}, false, nil
	}
	sum := sha256.New()
	n, err := io.Copy(sum, io.LimitReader(resp.Body, maxManifest+1))
	if err != nil {
		return Answer{}, false, err
	}
	if n > maxManifest {
		return Answer{}, false, drydock.Errorf(drydock.Failed, "the manifest has more than %d bytes", maxManifest)
	}
	return Answer{Digest: "sha256:" + hex.EncodeToString(sum.Sum(nil)), Validator: validator(resp, head)}, true, nil
}

// validator returns the entity tag, if the next question will be a GET too.
func validator(resp *http.Response, head bool) string {
	if head {
		return ""
	}
	return resp.Header.Get("ETag")
}

// problem gives an error a code, by what the registry answered.
func (a asking) problem(ctx context.Context, seen *recorder, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return drydock.Errorf(drydock.Unavailable, "%w", cause)
	}
	var known *drydock.Error
	var answer *transport.Error
	var certificate x509.UnknownAuthorityError
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &certificate):
		return drydock.Errorf(drydock.Unavailable, "%w", err).
			WithHint("the setting registries.cas names certificates to trust")
	case !errors.As(err, &answer):
		if isNetwork(err) {
			return drydock.Errorf(drydock.Unavailable, "%w", err)
		}
		return drydock.Errorf(drydock.Failed, "%w", err)
	}
	code := drydock.Failed
	switch status := answer.StatusCode; {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		code = drydock.Denied
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable && seen.last().Get("Retry-After") != "":
		return &WaitError{After: pause.Asked(seen.last(), a.now()), Err: drydock.Errorf(drydock.Unavailable, "%w", err)}
	case status >= http.StatusInternalServerError:
		code = drydock.Unavailable
	}
	return drydock.Errorf(code, "%w", err)
}

// isNetwork reports whether no answer came at all.
func isNetwork(err error) bool {
	var u *url.Error
	return errors.As(err, &u) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

// recorder remembers the header of the last answer: errors don't carry it.
type recorder struct {
	next http.RoundTripper

	mu     sync.Mutex
	header http.Header
}

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.header = resp.Header
	return resp, nil
}

// last returns the header of the last answer.
func (r *recorder) last() http.Header {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.header == nil {
		return http.Header{}
	}
	return r.header
}
