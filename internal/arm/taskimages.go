package arm

import (
	"github.com/drydockhq/drydock"
)

// showDependencies adds the base images that a task is known to be built from to
// its step, as ACR does.
func showDependencies(doc object, known drydock.TaskImages) {
	step, ok := at(doc, "properties.step").(object)
	if !ok || len(known.Bases) == 0 {
		return
	}
	dependencies := make([]any, len(known.Bases))
	for i, b := range known.Bases {
		ref := b.Image.Reference()
		d := object{"type": string(b.Kind), "registry": ref.Registry, "repository": ref.Repository}
		for key, value := range map[string]string{"tag": ref.Tag, "digest": b.Digest} {
			if value != "" {
				d[key] = value
			}
		}
		if b.Image.Pinned() {
			d["digest"] = b.Image.Digest
		}
		dependencies[i] = d
	}
	step["baseImageDependencies"] = dependencies
}

// forgetDependencies takes out of a client's document what only the server
// knows.
func forgetDependencies(doc object) {
	if step, ok := at(doc, "properties.step").(object); ok {
		delete(step, "baseImageDependencies")
	}
}
