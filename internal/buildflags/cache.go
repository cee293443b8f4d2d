package buildflags

import "strings"

// cacheFlags are those that say what is taken from where.
func (p *parser) cacheFlags() {
	b := p.build
	p.value("cache-from", "", func(v string) error { return addCache(&b.CacheFrom, v) })
	p.value("cache-to", "", func(v string) error { return addCache(&b.CacheTo, v) })
	p.flags.BoolVar(&b.NoCache, "no-cache", false, "")
	p.flags.StringSliceVar(&b.NoCacheFilter, "no-cache-filter", nil, "")
}

// addCache reads type=…,key=value… or image references with commas between
// them.
func addCache(entries *[]CacheEntry, v string) error {
	fields, err := csvFields(v)
	if err != nil {
		return err
	}
	if !strings.Contains(v, "=") {
		for _, ref := range fields {
			*entries = append(*entries, CacheEntry{Type: "registry", Attrs: map[string]string{"ref": ref}})
		}
		return nil
	}
	entry := CacheEntry{Attrs: map[string]string{}}
	for _, field := range fields {
		key, value, ok := strings.Cut(field, "=")
		if !ok {
			return invalid("the field %q has no value", field).WithHint("write type=registry,ref=IMAGE, or the image alone")
		}
		if key = strings.ToLower(strings.TrimSpace(key)); key == "type" {
			entry.Type = value
			continue
		}
		entry.Attrs[key] = value
	}
	if entry.Type == "" {
		return invalid("the type is missing").WithHint("write type=registry,ref=IMAGE, or the image alone")
	}
	if entry.Type == "registry" && entry.Attrs["ref"] == "" {
		return invalid("the ref is missing").WithHint("write type=registry,ref=IMAGE")
	}
	*entries = append(*entries, entry)
	return nil
}
