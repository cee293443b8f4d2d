package arm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

// object is a JSON object. Numbers in it are json.Number, so that what clients
// sent comes back as it was.
type object = map[string]any

func parseObject(text []byte) (object, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var o object
	if err := d.Decode(&o); err != nil {
		return nil, fmt.Errorf("reading a stored resource: %w", err)
	}
	return o, nil
}

// clone returns a copy that shares nothing.
func clone(v any) any {
	switch v := v.(type) {
	case object:
		c := make(object, len(v))
		for k, e := range v {
			c[k] = clone(e)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, e := range v {
			c[i] = clone(e)
		}
		return c
	}
	return v
}

// child returns an object in an object, made if it is not there or null.
func child(o object, path string) object {
	for _, key := range strings.Split(path, ".") {
		next, ok := o[key].(object)
		if !ok {
			next = object{}
			o[key] = next
		}
		o = next
	}
	return o
}

// at returns what is at a path of keys, nil if nothing is.
func at(o object, path string) any {
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		next, ok := o[key].(object)
		if !ok {
			return nil
		}
		o = next
	}
	return o[keys[len(keys)-1]]
}

// text returns the string at a path, "" if there is none.
func text(o object, path string) string {
	s, _ := at(o, path).(string)
	return s
}

// flag returns the boolean at a path, and def if there is none.
func flag(o object, path string, def bool) bool {
	if b, ok := at(o, path).(bool); ok {
		return b
	}
	return def
}

// number returns the whole number at a path, and def if there is none.
func number(o object, path string, def int) int {
	if n, ok := at(o, path).(json.Number); ok {
		if i, err := n.Int64(); err == nil {
			return int(i)
		}
	}
	return def
}

// list returns the array at a path, nil if there is none.
func list(o object, path string) []any {
	l, _ := at(o, path).([]any)
	return l
}

// merge applies a patch as RFC 7396 has it: objects are merged, null removes,
// everything else replaces.
func merge(target, patch object) object {
	merged := maps.Clone(target)
	if merged == nil {
		merged = object{}
	}
	for key, value := range patch {
		switch value := value.(type) {
		case nil:
			delete(merged, key)
		case object:
			old, _ := merged[key].(object)
			merged[key] = merge(old, value)
		default:
			merged[key] = value
		}
	}
	return merged
}

// fill sets keys that are not there or null.
func fill(o object, defaults object) {
	for key, value := range defaults {
		old, there := o[key]
		if sub, ok := value.(object); ok {
			if old == nil {
				old = object{}
				o[key] = old
			}
			if target, ok := old.(object); ok {
				fill(target, sub)
			}
			continue
		}
		if !there || old == nil {
			o[key] = value
		}
	}
}
