package drydock

// Network is a network of a task; its steps reach each other on it by step id.
type Network struct {
	Name         string
	Driver       string
	IPv6         bool
	SkipCreation bool
	IsDefault    bool
}

// DefaultNetwork is the network that a task has when it declares none.
const DefaultNetwork = "acb_default_network"
