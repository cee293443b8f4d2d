package plan

import (
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
)

// The versions of the task language.
const (
	versionPreview = "1.0-preview-1"
	version100     = "v1.0.0" // when a task names none
	version110     = "v1.1.0" // the first with aliases
)

func versions() []string { return []string{versionPreview, version100, version110} }

// findVersion returns the version that a task names on a line of its own,
// which decides whether aliases are expanded before anything is parsed; ""
// when there is none, or a template that can't be known yet.
func findVersion(d document) (string, error) {
	for i, line := range d.split() {
		key, value, ok := strings.Cut(line, ":")
		if !ok || strings.Trim(strings.TrimRight(key, " \t"), `'"`) != "version" {
			continue
		}
		value = strings.Trim(strings.TrimSpace(withoutComment(value)), `'"`)
		if strings.Contains(value, "{{") {
			return version110, nil
		}
		if err := checkVersion(value); err != nil {
			return "", err.At(i+1, len(key)+2)
		}
		return strings.ToLower(value), nil
	}
	return "", nil
}

// withoutComment drops a YAML comment at the end of a plain or quoted scalar
// that can't contain " #" itself.
func withoutComment(s string) string {
	if i := strings.Index(s, " #"); i >= 0 {
		return s[:i]
	}
	return s
}

// checkVersion returns nil for a version that exists.
func checkVersion(v string) *drydock.Error {
	v = strings.ToLower(v)
	if v == "" || slices.Contains(versions(), v) {
		return nil
	}
	err := drydock.Errorf(drydock.Invalid, "version %q does not exist", v)
	if slices.Contains(versions(), "v"+v) {
		return err.WithHint("write `version: v%s`", v)
	}
	return err.WithHint("the versions are %s; aliases need v1.1.0", strings.Join(versions(), ", "))
}

// hasAliases reports whether a task of the version may use aliases.
func hasAliases(version string) bool { return version == version110 }
