package plan

import (
	"regexp"
	"slices"

	"github.com/drydockhq/drydock"
	"go.yaml.in/yaml/v3"
)

// The networks that exist without being declared.
const (
	hostNetwork = "host" // the run's own namespace
	noNetwork   = "none"
)

var networkName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)

// readNetworks reads `networks` and finds the one of steps that name none: the
// given external network, else the last that is default, else the default
// network of tasks.
func (t *task) readNetworks(n *yaml.Node, external string) error {
	items, err := t.items(n, "networks")
	if err != nil {
		return err
	}
	t.network = drydock.DefaultNetwork
	for _, item := range items {
		network, err := t.readNetwork(item)
		if err != nil {
			return err
		}
		if network.IsDefault {
			t.network = network.Name
		}
		t.plan.Networks = append(t.plan.Networks, network)
	}
	switch {
	case external == hostNetwork || external == noNetwork:
		t.network = external
	case external != "":
		t.network = external
		if !t.hasNetwork(external) {
			t.plan.Networks = append(t.plan.Networks, drydock.Network{
				Name: external, Driver: "external", SkipCreation: true, IsDefault: true,
			})
		}
	case len(items) == 0:
		t.addDefaultNetwork()
	}
	return nil
}

func (t *task) readNetwork(n *yaml.Node) (drydock.Network, error) {
	f, err := t.fields(n, "a network", "name", "driver", "ipv6", "skipCreation", "isDefault")
	if err != nil {
		return drydock.Network{}, err
	}
	r := reader{d: t.decoder, f: f}
	network := drydock.Network{
		Name:         r.text("name"),
		Driver:       r.text("driver"),
		IPv6:         r.boolean("ipv6"),
		SkipCreation: r.boolean("skipCreation"),
		IsDefault:    r.boolean("isDefault"),
	}
	switch {
	case r.err != nil:
		return network, r.err
	case network.Name == "":
		return network, invalid(n, "a network has no `name`")
	case !networkName.MatchString(network.Name):
		return network, invalid(f["name"], "the network name %q may only have letters, digits, `_`, `.` and `-`", network.Name)
	case slices.Contains([]string{hostNetwork, noNetwork, "bridge", "default"}, network.Name):
		return network, invalid(f["name"], "the network name %q is reserved", network.Name)
	case t.hasNetwork(network.Name):
		return network, invalid(f["name"], "two networks have the name %q", network.Name)
	}
	return network, nil
}

func (t *task) hasNetwork(name string) bool {
	return slices.ContainsFunc(t.plan.Networks, func(n drydock.Network) bool { return n.Name == name })
}

func (t *task) addDefaultNetwork() {
	if !t.hasNetwork(drydock.DefaultNetwork) {
		t.plan.Networks = append(t.plan.Networks, drydock.Network{
			Name: drydock.DefaultNetwork, Driver: "bridge", IsDefault: true,
		})
	}
}

// stepNetwork returns the network that a step joins.
func (t *task) stepNetwork(n *yaml.Node, name string) (string, error) {
	switch name {
	case hostNetwork, noNetwork:
		return name, nil
	case "":
		name = t.network
	case "bridge", "default": // docker's own bridge
		name = drydock.DefaultNetwork
	}
	if name == drydock.DefaultNetwork {
		t.addDefaultNetwork()
	}
	if name == hostNetwork || name == noNetwork || t.hasNetwork(name) {
		return name, nil
	}
	names := []string{hostNetwork, noNetwork}
	for _, n := range t.plan.Networks {
		names = append(names, n.Name)
	}
	return "", invalid(n, "the network %q is not declared", name).
		WithHint("%s", nearestOr(name, names, "there are"))
}
