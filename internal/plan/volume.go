package plan

import (
	"encoding/base64"
	"path"
	"regexp"
	"strings"

	"github.com/drydockhq/drydock"
	"go.yaml.in/yaml/v3"
)

var (
	volumeName = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
	fileName   = regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`)
)

// readVolumes reads `volumes`.
func (t *task) readVolumes(n *yaml.Node) error {
	items, err := t.items(n, "volumes")
	if err != nil {
		return err
	}
	for _, item := range items {
		f, err := t.fields(item, "a volume", "name", "secret")
		if err != nil {
			return err
		}
		name, err := t.text(f["name"], "name")
		switch {
		case err != nil:
			return err
		case name == "":
			return invalid(item, "a volume has no `name`")
		case !volumeName.MatchString(name):
			return invalid(f["name"], "the volume name %q may only have letters, digits, `-` and `_`", name)
		case t.volumes[name]:
			return invalid(f["name"], "two volumes have the name %q", name)
		case isNull(f["secret"]):
			return invalid(item, "the volume %q has no `secret`, the one source there is", name)
		}
		files, err := t.files(f["secret"], name)
		if err != nil {
			return err
		}
		t.volumes[name] = true
		t.plan.Volumes = append(t.plan.Volumes, drydock.Volume{Name: name, Files: files})
	}
	return nil
}

// files decodes the files of a volume.
func (t *task) files(n *yaml.Node, volume string) (map[string][]byte, error) {
	pairs, err := t.mapping(n, "`secret`")
	if err != nil {
		return nil, err
	}
	if len(pairs) == 0 {
		return nil, invalid(n, "the volume %q has no files", volume)
	}
	files := map[string][]byte{}
	for _, p := range pairs {
		if !fileName.MatchString(p.key) || p.key == "." || p.key == ".." {
			return nil, invalid(p.keyNode, "the file name %q may only have letters, digits, `-`, `_` and `.`", p.key)
		}
		encoded, err := t.text(p.value, p.key)
		if err != nil {
			return nil, err
		}
		files[p.key], err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(encoded), ""))
		if err != nil {
			return nil, invalid(p.value, "the content of the file %q is not base64", p.key).
				WithHint("encode it, as in {{.Secrets.name | b64enc}}")
		}
	}
	return files, nil
}

// mounts reads `volumeMounts`, or `volumeMount` as the documentation has it.
func (t *task) mounts(f map[string]*yaml.Node) ([]drydock.VolumeMount, error) {
	name, n := "volumeMounts", f["volumeMounts"]
	if one, ok := f["volumeMount"]; ok {
		if n != nil {
			return nil, invalid(one, "a step has both `volumeMount` and `volumeMounts`")
		}
		name, n = "volumeMount", one
	}
	items, err := t.items(n, name)
	if n != nil && resolveAlias(n).Kind == yaml.MappingNode && name == "volumeMount" {
		items, err = []*yaml.Node{n}, nil
	}
	if err != nil {
		return nil, err
	}
	var all []drydock.VolumeMount
	for _, item := range items {
		mount, err := t.mount(item)
		if err != nil {
			return nil, err
		}
		for _, other := range all {
			if other.MountPath == mount.MountPath {
				return nil, invalid(item, "two volumes are mounted at %q", mount.MountPath)
			}
		}
		all = append(all, mount)
	}
	return all, nil
}

func (t *task) mount(n *yaml.Node) (drydock.VolumeMount, error) {
	f, err := t.fields(n, "a volume mount", "name", "mountPath")
	if err != nil {
		return drydock.VolumeMount{}, err
	}
	r := reader{d: t.decoder, f: f}
	m := drydock.VolumeMount{Name: r.text("name"), MountPath: r.text("mountPath")}
	switch {
	case r.err != nil:
		return m, r.err
	case m.Name == "" || m.MountPath == "":
		return m, invalid(n, "a volume mount needs a `name` and a `mountPath`")
	case !t.volumes[m.Name]:
		return m, invalid(f["name"], "the volume %q is not declared", m.Name).
			WithHint("%s", nearestOr(m.Name, t.volumeNames(), "there are"))
	case !path.IsAbs(m.MountPath) || path.Clean(m.MountPath) == "/":
		return m, invalid(f["mountPath"], "the mount path %q must be absolute and below /", m.MountPath)
	}
	m.MountPath = path.Clean(m.MountPath)
	return m, nil
}

func (t *task) volumeNames() []string {
	var names []string
	for _, v := range t.plan.Volumes {
		names = append(names, v.Name)
	}
	return names
}
