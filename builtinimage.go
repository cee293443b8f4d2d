package drydock

import "strings"

// BuiltInRegistry is the host in the names of the images that Drydock has within
// itself, as drydock.internal/az: they hold one program, which is Drydock's own,
// and nothing is downloaded for them. No registry can have this name.
const BuiltInRegistry = "drydock.internal"

// IsBuiltIn reports whether an image name, complete or not, is that of a built-in
// image.
func IsBuiltIn(image string) bool { return strings.HasPrefix(image, BuiltInRegistry+"/") }

// BuiltInImage returns the name of the built-in image of a program.
func BuiltInImage(program string) string { return BuiltInRegistry + "/" + program }
