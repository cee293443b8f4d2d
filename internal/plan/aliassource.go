package plan

import (
	"context"

	"github.com/drydockhq/drydock"
	"go.yaml.in/yaml/v3"
)

// fetchAliases reads one entry of `src`.
func (m *maker) fetchAliases(ctx context.Context, src *yaml.Node) (map[string]string, error) {
	uri := resolveAlias(src).Value
	if m.in.Aliases == nil {
		return nil, invalid(src, "reading aliases from %q: files and URLs of aliases can't be read here", uri).
			WithHint("put them into `alias.values`")
	}
	fetch, cancel := context.WithTimeout(ctx, aliasTimeout)
	defer cancel()
	data, err := m.in.Aliases.Fetch(fetch, uri)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil && fetch.Err() != nil:
		return nil, invalid(src, "reading aliases from %q: no answer within %s", uri, aliasTimeout)
	case err != nil:
		return nil, wrap(src, err, "reading aliases from %q", uri)
	case len(data) > maxFile:
		return nil, invalid(src, "reading aliases from %q: it has more than %d bytes", uri, maxFile)
	}
	top, dec, err := parseYAML(normalise(data))
	if err != nil {
		return nil, wrap(src, err, "reading aliases from %q", uri)
	}
	values, err := dec.aliasValues(top)
	if err != nil {
		return nil, wrap(src, err, "reading aliases from %q", uri)
	}
	return values, nil
}

// wrap puts err under a message at n. The position in err counts in another
// file, so it goes into the message.
func wrap(n *yaml.Node, err error, format string, args ...any) *drydock.Error {
	code := drydock.CodeOf(err)
	if code == drydock.Internal {
		code = drydock.Invalid
	}
	e := drydock.Errorf(code, format, args...)
	e.Message += ": " + err.Error()
	e.Err = err
	return e.At(n.Line, n.Column)
}
