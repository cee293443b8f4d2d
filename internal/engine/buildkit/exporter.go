package buildkit

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/moby/buildkit/cache"
	"github.com/moby/buildkit/exporter"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	bksession "github.com/moby/buildkit/session"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// tableExporter puts the result of a build into the run's image table.
type tableExporter struct{ build *build }

var _ exporter.ExporterInstance = (*tableExporter)(nil)

// ID implements exporter.ExporterInstance.
func (*tableExporter) ID() int { return 0 }

// Name implements exporter.ExporterInstance: it is shown in the progress.
func (*tableExporter) Name() string { return "keeping the image for this run" }

// Type implements exporter.ExporterInstance.
func (*tableExporter) Type() string { return "drydock" }

// Attrs implements exporter.ExporterInstance.
func (*tableExporter) Attrs() map[string]string { return nil }

// Config implements exporter.ExporterInstance.
func (*tableExporter) Config() *exporter.Config { return exporter.NewConfig() }

// Export implements exporter.ExporterInstance.
func (e *tableExporter) Export(ctx context.Context, src *exporter.Source, info exporter.ExportBuildInfo) (map[string]string, exporter.FinalizeFunc, exporter.DescriptorReference, error) {
	img := &builtImage{session: e.build.session, source: holdSource(src)}
	e.build.image = img
	if err := e.build.hideSecretArgs(img.source); err != nil {
		return nil, nil, nil, err
	}
	if err := e.build.fetchCached(ctx, img.refs()); err != nil {
		return nil, nil, nil, err
	}
	if e.build.wantsInlineCache() {
		// It can be asked for only while the build goes on.
		img.inline = info.InlineCache
		if _, _, err := img.target(ctx); err != nil {
			return nil, nil, nil, err
		}
		img.inline = nil
	}
	return nil, nil, nil, nil
}

// fetchCached fetches what a build found in a remote cache: its provider has the
// credentials of the build's own session, which end with the build.
func (b *build) fetchCached(ctx context.Context, refs []cache.ImmutableRef) error {
	if len(b.cacheFrom) == 0 {
		return nil
	}
	for _, ref := range refs {
		if err := ref.Extract(ctx, bksession.NewGroup(b.sessionID)); err != nil {
			return fmt.Errorf("fetching layers from the cache: %w", err)
		}
	}
	return nil
}

// tellSecretArgs has the values of --secret-build-arg masked in the log.
func (b *build) tellSecretArgs() {
	for _, arg := range b.Flags.SecretArgs {
		if value, ok := b.argValue(arg); ok && b.session.spec.Secret != nil {
			b.session.spec.Secret(value)
		}
	}
}

// hideSecretArgs takes the values of --secret-build-arg out of the image's
// history, where a build writes the arguments of each RUN.
func (b *build) hideSecretArgs(src *exporter.Source) error {
	var secrets []string
	for _, arg := range b.Flags.SecretArgs {
		if value, ok := b.argValue(arg); ok && value != "" {
			secrets = append(secrets, value, "***")
		}
	}
	if len(secrets) == 0 {
		return nil
	}
	hide := strings.NewReplacer(secrets...)
	for key, data := range src.Metadata {
		if !strings.HasPrefix(key, exptypes.ExporterImageConfigKey) {
			continue
		}
		hidden, err := rewriteHistory(data, hide.Replace)
		if err != nil {
			return err
		}
		src.Metadata[key] = hidden
	}
	return nil
}

// rewriteHistory changes the history of an image config and nothing else.
func rewriteHistory(config []byte, change func(string) string) ([]byte, error) {
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(config, &fields); err != nil {
		return nil, fmt.Errorf("reading the image's config: %w", err)
	}
	var history []ocispec.History
	if err := json.Unmarshal(fields["history"], &history); err != nil {
		return nil, fmt.Errorf("reading the image's history: %w", err)
	}
	for i := range history {
		history[i].CreatedBy = change(history[i].CreatedBy)
		history[i].Comment = change(history[i].Comment)
	}
	rewritten, err := json.Marshal(history)
	if err != nil {
		return nil, fmt.Errorf("writing the image's history: %w", err)
	}
	fields["history"] = rewritten
	return json.Marshal(fields)
}
