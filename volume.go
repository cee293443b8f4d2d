package drydock

// Volume is a set of files that steps may mount.
type Volume struct {
	Name  string
	Files map[string][]byte // by file name, decoded
}
