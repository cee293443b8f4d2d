package runnet

// MaxHostConns is how many connections a run may have to its hosts.
const MaxHostConns = maxHostConns
