package cli

import (
	"os"

	"go.yaml.in/yaml/v3"

	"github.com/drydockhq/drydock"
)

func containerExport() command {
	var g containerFlags
	var file string
	return command{
		use: "export", short: "Write the definition of a container group to a YAML file, without its secrets",
		flags: func(f *flags) {
			g.define(f)
			f.StringVarP(&file, "file", "f", "", "the file")
			f.need("file")
		},
		run: func(c *call) (any, error) {
			_, group, err := g.get(c)
			if err != nil {
				return nil, err
			}
			properties, _ := group["properties"].(object)
			delete(properties, "instanceView")
			delete(properties, "provisioningState")
			for _, key := range []string{"containers", "initContainers"} {
				list, _ := properties[key].([]any)
				for _, e := range list {
					if of, ok := at(e, "properties").(object); ok {
						delete(of, "instanceView")
					}
				}
			}
			out := with("apiVersion", containerVersion, "name", group["name"], "type", group["type"], "location", group["location"],
				"tags", group["tags"], "properties", properties)
			if kind := text(group, "identity", "type"); kind != "" {
				out["identity"] = with("type", kind, "userAssignedIdentities", at(group, "identity", "userAssignedIdentities"))
			}
			text, err := yaml.Marshal(out)
			if err != nil {
				return nil, err
			}
			if err := os.WriteFile(file, text, 0o600); err != nil {
				return nil, drydock.Errorf(drydock.Invalid, "writing the definition: %w", err)
			}
			return nil, nil
		},
	}
}
