package oci

// For tests of the parsers.
var (
	ParseManifest = parseManifest
	ParseScope    = parseScope
)

// ParsePath returns the parts of a path that a request can name.
func ParsePath(path string) (known bool, repository, reference string) {
	r := parsePath(path)
	return r.kind != unknownPath, r.repository, r.reference
}
