package cli

import "runtime"

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
