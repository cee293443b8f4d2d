// Command frontend is a Dockerfile frontend that is not the official one: it
// runs as a container of a build and labels what it makes.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/moby/buildkit/frontend/dockerfile/builder"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/gateway/grpcclient"
)

func main() {
	if err := grpcclient.RunFromEnvironment(context.Background(), build); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// build builds the Dockerfile. With the build argument FAIL it does not. With the build argument RAW it takes that image
// as it is, without ever asking what it stands for.
func build(ctx context.Context, c client.Client) (*client.Result, error) {
	if message := c.BuildOpts().Opts["build-arg:FAIL"]; message != "" {
		fmt.Fprintln(os.Stderr, message)
		os.Exit(1)
	}
	if image := c.BuildOpts().Opts["build-arg:RAW"]; image != "" {
		def, err := llb.Image(image).Marshal(ctx)
		if err != nil {
			return nil, err
		}
		return c.Solve(ctx, client.SolveRequest{Definition: def.ToPB()})
	}
	result, err := builder.Build(ctx, c)
	if err != nil {
		return nil, err
	}
	return result, label(result)
}

func label(result *client.Result) error {
	var image map[string]any
	if err := json.Unmarshal(result.Metadata[exptypes.ExporterImageConfigKey], &image); err != nil {
		return err
	}
	config, ok := image["config"].(map[string]any)
	if !ok {
		return fmt.Errorf("the image has no config")
	}
	config["Labels"] = map[string]string{"frontend": "of the test"}
	data, err := json.Marshal(image)
	if err != nil {
		return err
	}
	result.AddMeta(exptypes.ExporterImageConfigKey, data)
	return nil
}
