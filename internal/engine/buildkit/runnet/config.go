package runnet

import (
	"net/netip"
	"regexp"

	"github.com/drydockhq/drydock"
)

// DefaultMachineDir is where the instances of a machine keep what they share.
const DefaultMachineDir = "/run/drydock"

// Config configures a Manager. The zero value is ready to use.
type Config struct {
	// Prefix begins the names of namespaces and of the nftables table: letters
	// and digits, at most 20. Empty means "drydock". Only leftovers with the
	// same prefix are swept.
	Prefix string
	// StateDir holds the lock files by which New knows which instances are dead;
	// it sweeps what those with a lock file here left. Empty means MachineDir, so
	// that any instance sweeps what any other left.
	StateDir string
	// MachineDir holds what all instances must share that share the host's
	// network, whatever their prefix: the lock under which uplinks are chosen, and
	// which links had no forwarding before. Empty means DefaultMachineDir.
	MachineDir string
	// Resolvers are the addresses, with or without port, that names outside the
	// run are asked of. Nil means those of /etc/resolv.conf, which is read again
	// when it changes.
	Resolvers []string
	// Subnet is what the networks of a run are cut from: IPv4, /16 to /20, the
	// same in all runs. The zero value picks one that no route of the host uses.
	Subnet netip.Prefix
	// Uplinks is what the veth pairs between runs and host are cut from: IPv4,
	// /12 to /28. The zero value picks one that no route of the host uses.
	Uplinks netip.Prefix
	// Addresses are what public addresses are chosen from: IPv4. Where a network of
	// this machine's links holds one, this machine answers for it there; others
	// must be routed to this machine. Nil means Uplinks, which only this machine
	// and those behind it reach.
	Addresses []netip.Prefix
	// Spares is how many containers' namespaces are held ready on the default
	// network of each open run, and of builds. 0 means 2, negative means none.
	Spares int
}

var prefixPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{0,19}$`)

// candidates are pairs of Subnet and Uplinks, best first. 198.18.0.0/15 is set
// aside for benchmarks (RFC 2544), so it is the least likely to be something
// that a step wants to reach.
func candidates() [][2]netip.Prefix {
	var pairs [][2]netip.Prefix
	for _, p := range [][2]string{
		{"198.18.0.0/16", "198.19.0.0/16"},
		{"10.213.0.0/16", "10.214.0.0/16"},
		{"172.30.0.0/16", "172.31.0.0/16"},
		{"192.168.208.0/20", "192.168.224.0/20"},
		{"100.98.0.0/16", "100.99.0.0/16"},
	} {
		pairs = append(pairs, [2]netip.Prefix{netip.MustParsePrefix(p[0]), netip.MustParsePrefix(p[1])})
	}
	return pairs
}

func (c Config) withDefaults(used []netip.Prefix) (Config, error) {
	if c.Prefix == "" {
		c.Prefix = "drydock"
	}
	if !prefixPattern.MatchString(c.Prefix) {
		return c, drydock.Errorf(drydock.Invalid, "network prefix %q is not 1 to 20 letters and digits", c.Prefix)
	}
	if c.MachineDir == "" {
		c.MachineDir = DefaultMachineDir
	}
	if c.StateDir == "" {
		c.StateDir = c.MachineDir
	}
	if c.Spares == 0 {
		c.Spares = 2
	}
	c.Spares = max(c.Spares, 0)
	if c.Subnet.IsValid() && !between(c.Subnet, 16, 20) {
		return c, drydock.Errorf(drydock.Invalid, "subnet %s of runs is not IPv4 from /16 to /20", c.Subnet)
	}
	if c.Uplinks.IsValid() && !between(c.Uplinks, 12, 28) {
		return c, drydock.Errorf(drydock.Invalid, "range %s of uplinks is not IPv4 from /12 to /28", c.Uplinks)
	}
	if err := c.chooseRanges(used); err != nil {
		return c, err
	}
	c.Subnet, c.Uplinks = c.Subnet.Masked(), c.Uplinks.Masked()
	if c.Subnet.Overlaps(c.Uplinks) {
		return c, drydock.Errorf(drydock.Invalid, "subnet %s of runs and range %s of uplinks overlap", c.Subnet, c.Uplinks)
	}
	return c, nil
}

func (c *Config) chooseRanges(used []netip.Prefix) error {
	if c.Subnet.IsValid() && c.Uplinks.IsValid() {
		return nil
	}
	for _, pair := range candidates() {
		subnet, uplinks := pair[0], pair[1]
		if c.Subnet.IsValid() {
			subnet = c.Subnet
		}
		if c.Uplinks.IsValid() {
			uplinks = c.Uplinks
		}
		if !overlapsAny(subnet, used) && !overlapsAny(uplinks, used) && !subnet.Overlaps(uplinks) {
			c.Subnet, c.Uplinks = subnet, uplinks
			return nil
		}
	}
	return drydock.Errorf(drydock.Unavailable, "choosing addresses for runs: routes of this machine use every range that is tried").
		WithHint("name a free IPv4 range for the networks of runs, and one for their uplinks")
}

func between(p netip.Prefix, low, high int) bool {
	return p.Addr().Is4() && p.Bits() >= low && p.Bits() <= high
}

func overlapsAny(p netip.Prefix, used []netip.Prefix) bool {
	for _, u := range used {
		if p.Overlaps(u) {
			return true
		}
	}
	return false
}

// nthSubnet returns the nth prefix of the given length in p.
func nthSubnet(p netip.Prefix, bits, n int) netip.Prefix {
	return netip.PrefixFrom(nthAddr(netip.PrefixFrom(p.Masked().Addr(), bits), n<<(32-bits)), bits)
}

// nthAddr returns the address n after the first of p, which is IPv4.
func nthAddr(p netip.Prefix, n int) netip.Addr {
	b := p.Addr().As4()
	v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	v += uint32(n)
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}
