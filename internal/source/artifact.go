package source

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/drydockhq/drydock"
)

// The annotations by which oras says what a layer is.
const (
	titleAnnotation  = "org.opencontainers.image.title"
	unpackAnnotation = "io.deis.oras.content.unpack"
)

// artifact unpacks an artifact of a registry: layers that are archives, and
// those that oras made of single files.
func (f *Fetcher) artifact(ctx context.Context, fetched *Fetched, spec string) error {
	text := spec[len("oci://"):]
	ref, err := f.parseArtifact(text)
	if err != nil {
		return err
	}
	if f.Pin.Digest != "" {
		ref = ref.Context().Digest(f.Pin.Digest)
	}
	f.logf("Pulling %s", ref)
	auth, err := f.authenticator(ctx, ref)
	if err != nil {
		return err
	}
	doing := "pulling the source " + ref.String()
	desc, err := remote.Get(ref, remote.WithContext(ctx), remote.WithAuth(auth), remote.WithTransport(f.transport(ref)))
	if err != nil {
		return f.explainRegistry(doing, err)
	}
	if desc.MediaType.IsIndex() {
		return drydock.Errorf(drydock.Invalid, "%s is an index of several artifacts", ref).WithHint("name one of them by its digest")
	}
	image, err := desc.Image()
	if err != nil {
		return f.explainRegistry(doing, err)
	}
	if err := f.layers(ctx, fetched.Dir, image, ref.String()); err != nil {
		return f.explainRegistry(doing, err)
	}
	fetched.Digest = desc.Digest.String()
	f.logf("Pulled %s with digest %s", ref, desc.Digest)
	return nil
}

// parseArtifact reads registry/repository[:tag|@digest].
func (f *Fetcher) parseArtifact(text string) (name.Reference, error) {
	ref, err := name.ParseReference(text)
	if err == nil && f.PlainHTTP != nil && f.PlainHTTP(ref.Context().RegistryStr()) {
		ref, err = name.ParseReference(text, name.Insecure)
	}
	if err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "the source is not the name of an artifact: %w", err).
			WithHint("write oci://registry/repository:tag")
	}
	return ref, nil
}

// authenticator returns how to log in to the registry of an artifact.
func (f *Fetcher) authenticator(ctx context.Context, ref name.Reference) (authn.Authenticator, error) {
	if f.Keychain == nil {
		return authn.Anonymous, nil
	}
	cred, ok, err := f.Keychain.Lookup(ctx, ref.Context().RegistryStr())
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return authn.Anonymous, nil
	case cred.Username == "":
		return authn.FromConfig(authn.AuthConfig{IdentityToken: cred.Secret}), nil
	}
	return &authn.Basic{Username: cred.Username, Password: cred.Secret}, nil
}

// transport returns the fetcher's transport, which refuses plain HTTP to a
// registry that was not said to speak it: the library would try that for all
// private addresses.
func (f *Fetcher) transport(ref name.Reference) http.RoundTripper {
	base := http.DefaultTransport
	if f.HTTP != nil && f.HTTP.Transport != nil {
		base = f.HTTP.Transport
	}
	host := ref.Context().RegistryStr()
	allowed := loopback(host) || f.PlainHTTP != nil && f.PlainHTTP(host)
	return secured{base, func(h string) bool { return loopback(h) || allowed && h == host }}
}

// secured is a transport that allows plain HTTP to some hosts only.
type secured struct {
	base  http.RoundTripper
	plain func(host string) bool
}

func (s secured) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !s.plain(r.URL.Host) {
		return nil, errors.New("refusing to speak plain HTTP to " + r.URL.Host)
	}
	return s.base.RoundTrip(r)
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// layers unpacks all layers, with one budget.
func (f *Fetcher) layers(ctx context.Context, dir string, image v1.Image, name string) error {
	manifest, err := image.Manifest()
	if err != nil {
		return err
	}
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	if len(layers) == 0 {
		return drydock.Errorf(drydock.Invalid, "%s holds no files", name)
	}
	b := &budget{limits: f.Limits.withDefaults(), name: name}
	for i, layer := range layers {
		if err := f.layer(ctx, dir, layer, manifest.Layers[i], b); err != nil {
			return err
		}
	}
	return nil
}

// layer unpacks one layer or, when oras made it of a file, writes that file.
func (f *Fetcher) layer(ctx context.Context, dir string, layer v1.Layer, desc v1.Descriptor, b *budget) error {
	stream, err := layer.Compressed()
	if err != nil {
		return err
	}
	defer stream.Close()
	title := desc.Annotations[titleAnnotation]
	switch {
	case title != "" && desc.Annotations[unpackAnnotation] != "true":
		return f.singleFile(ctx, dir, title, stream, desc.Size, b)
	case title == "" && !strings.Contains(string(desc.MediaType), "tar"):
		return drydock.Errorf(drydock.Invalid, "%s has a layer of type %s, which is neither an archive nor a file with a name", b.name, desc.MediaType).
			WithHint("push the folder with oras push")
	}
	if err := f.unpackInto(ctx, dir, stream, b); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, stream) // its digest is compared at the end
	return err
}

// singleFile writes a file under its title.
func (f *Fetcher) singleFile(ctx context.Context, dir, title string, stream io.Reader, size int64, b *budget) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return drydock.Errorf(drydock.Unavailable, "opening the folder of the source: %w", err)
	}
	defer root.Close()
	x := &extraction{root: root, budget: b}
	file, err := x.inside(title, title)
	if err != nil {
		return err
	}
	if file == "." {
		return x.refuse(title, "it stands for the whole folder")
	}
	if err := errors.Join(b.entry(), b.room(size)); err != nil {
		return single(err)
	}
	if err := root.MkdirAll(path.Dir(file), 0o755); err != nil {
		return x.failed(title, err)
	}
	if err := x.clear(file); err != nil {
		return x.failed(title, err)
	}
	out, err := root.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return x.failed(title, err)
	}
	defer out.Close()
	plain := plainReader{packedReader{contextReader{ctx, stream}, b}, b}
	if _, err := io.Copy(out, plain); err != nil {
		return x.copyFailed(title, err)
	}
	if err := out.Close(); err != nil {
		return x.failed(title, err)
	}
	return nil
}

// explainRegistry turns a failure of the registry's client into an error for
// users.
func (f *Fetcher) explainRegistry(doing string, err error) error {
	var user *drydock.Error
	if errors.As(err, &user) && user.Code == drydock.Denied {
		return refusal(doing, user) // maybe in an error of net/http's
	}
	if errors.As(err, &user) {
		return err
	}
	e := drydock.Errorf(drydock.Unavailable, "%s: %w", doing, withoutURL(err))
	var answer *transport.Error
	if errors.As(err, &answer) {
		switch answer.StatusCode {
		case http.StatusUnauthorized, http.StatusForbidden:
			e.Code = drydock.Denied
			return e.WithHint("%s", cmp.Or(f.Login, "log in with docker login, or give --credential"))
		case http.StatusNotFound:
			e.Code = drydock.Invalid
		}
	}
	return e
}
