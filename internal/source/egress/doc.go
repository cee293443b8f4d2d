// Package egress is how a server reaches the hosts that its runs name as
// sources: by a policy that is checked against the addresses that names turn out
// to be, for each connection, also after redirects and in programs such as git.
package egress
