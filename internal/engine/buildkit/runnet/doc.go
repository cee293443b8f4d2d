// Package runnet makes the networks of runs and of builds.
//
// A run has a network namespace of its own, named under /run/netns. In it are
// one bridge for each of the run's networks, a DNS server that answers the
// names of the run's containers and forwards everything else to the host's
// resolvers, the published ports, and one veth pair out to the host. Each
// container has a namespace of its own, joined to one bridge, so that two
// steps may use the same port. A container's namespace has no name in the file
// system: it lives as long as its Attachment and its processes do.
//
//	container ── bridge ── run namespace ── veth ── host ── outside
//	   eth0      br0       DNS, ports, NAT          NAT
//
// Every run uses the same addresses inside, and every container the same name
// server; only the addresses of the veth pair differ. A run's namespace
// translates what leaves it to its end of the pair, and the host translates
// that to its own address.
//
// What a container can reach: the containers on its own network, the DNS
// server, the hosts of its run (RunOptions.Hosts), the run's published ports, the
// host's addresses other than loopback, and whatever the host can route to, except
// 169.254.0.0/16, where clouds keep the credentials of the machine. What it can't: other runs, other
// networks of its run, services on the host's loopback. Nothing outside can
// open a connection to a container, unless its ports are published.
//
// On the host this package owns: files in /run/netns whose names begin with
// the instance's prefix, links whose names begin with "dd" and the instance's
// id, one nftables table, and a lock file. Close removes them; after a kill the
// next New with the same folder for locks does. The host must forward packets, which is switched on for each
// interface that has a route (net.ipv4.conf.*.forwarding, not the global
// ip_forward), recorded, and switched off again by the last instance to close.
//
// Where another table of the host's firewall drops forwarded packets by
// default, as Docker's does, steps have no way out until the operator lets
// links named "dd*" through; Manager.Warnings says so. It can't see rules of
// iptables-legacy.
package runnet
