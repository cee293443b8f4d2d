package cli

import (
	"encoding/json"
	"fmt"
	"regexp"
	"time"
)

// object is a resource, or a part of one, as JSON has it.
type object = map[string]any

// at returns what is at a path of keys and indices, nil for nothing.
func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			o, _ := v.(object)
			v = o[step]
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				return nil
			}
			v = list[step]
		}
	}
	return v
}

// text returns the string at a path, "" for none.
func text(v any, path ...any) string {
	s, _ := at(v, path...).(string)
	return s
}

// with returns an object of the pairs whose values are given: those that are
// empty strings, nil, empty lists and empty objects are left out.
func with(pairs ...any) object {
	o := object{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if !isEmpty(pairs[i+1]) {
			o[pairs[i].(string)] = pairs[i+1]
		}
	}
	return o
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case int:
		return v == 0
	case []string:
		return len(v) == 0
	case []any:
		return len(v) == 0
	case object:
		return len(v) == 0
	}
	return false
}

// plain returns a value as encoding/json decodes it, which is what queries and
// tables work on.
func plain(v any) (any, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("making JSON of the result: %w", err)
	}
	var p any
	return p, json.Unmarshal(b, &p)
}

var groupOfID = regexp.MustCompile(`(?i)/resourceGroups/([^/]+)/providers/`)

// flat shows a resource as the Azure CLI does: its properties beside its name,
// and with the resource group that is in its id.
func flat(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = flat(v[i])
		}
	case object:
		properties, ok := v["properties"].(object)
		if id := text(v, "id"); ok && id != "" {
			delete(v, "properties")
			for key, value := range properties {
				if _, there := v[key]; !there {
					v[key] = value
				}
			}
			if m := groupOfID.FindStringSubmatch(id); m != nil {
				v["resourceGroup"] = m[1]
			}
		}
		if result, ok := v["runResult"]; ok {
			v["runResult"] = flat(result)
		}
	}
	return v
}

// when writes a time in whole seconds; what is none, as it is.
func when(text string) string {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return text
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// duration writes the time between two as hours, minutes and seconds, "" if one
// of them is missing.
func duration(from, to string) string {
	start, err := time.Parse(time.RFC3339Nano, from)
	if err != nil {
		return ""
	}
	end, err := time.Parse(time.RFC3339Nano, to)
	if err != nil || end.Before(start) {
		return ""
	}
	seconds := int(end.Sub(start).Seconds())
	return fmt.Sprintf("%02d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
}
