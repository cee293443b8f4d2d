package engine

import "github.com/distribution/reference"

// dockerArgs returns the arguments of the docker client when a command's image
// is one of those that stand for it: `docker` and `buildx`, which ACR keeps on
// its agents, with any tag.
func dockerArgs(words []string) ([]string, bool) {
	name, err := reference.ParseNormalizedNamed(words[0])
	if err != nil {
		return nil, false
	}
	args := words[1:]
	switch name.Name() {
	case "docker.io/library/docker":
		// The image's entry point accepts both `pull x` and `docker pull x`.
		if len(args) > 0 && args[0] == "docker" {
			args = args[1:]
		}
		return args, true
	case "docker.io/library/buildx":
		return append([]string{"buildx"}, args...), true
	default:
		return nil, false
	}
}
