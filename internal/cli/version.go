package cli

import (
	"runtime"
	"runtime/debug"
)

func versionCommand() command {
	return command{use: "version", short: "Show the version", run: func(c *call) (any, error) {
		return object{
			"drydock": c.Version, "azure-cli": azureVersion, "azure-cli-core": azureVersion,
			"platform": runtime.GOOS + "/" + runtime.GOARCH, "extensions": object{},
		}, nil
	}}
}

// azureVersion is the version of the Azure CLI whose commands these are.
const azureVersion = "2.74.0"

// BuildVersion returns the version of a program: the one that its linker was
// given or, without one, that of the module or the commit that the go command
// built it from; "unknown" where it did not look.
func BuildVersion(linked string, read func() (*debug.BuildInfo, bool)) string {
	if linked != "" {
		return linked
	}
	info, ok := read()
	if !ok {
		return unknownVersion
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	commit, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "-dirty"
		}
	}
	if commit == "" {
		return unknownVersion
	}
	return commit + dirty
}

const unknownVersion = "unknown"
