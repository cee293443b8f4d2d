// Package config reads how a server is set up: from flags, the environment and
// a file, in this order of strength, over defaults.
package config

import (
	"net/netip"
	"net/url"
	"time"

	"github.com/drydockhq/drydock"
)

// Config is how a server is set up.
type Config struct {
	Data   string // folder of everything
	Domain string // that the hosts of the server are below, in lower case
	Listen string // address and port
	// Port is the one in the URLs that clients are told; that of Listen unless
	// something stands in front of the server.
	Port        int
	PublicURL   *url.URL // by which git hosts and people elsewhere reach the management host; nil for none
	Certificate string   // file, PEM; empty for one of the server's own CA
	Key         string   // file, PEM
	ManageHosts bool     // keep the names of the server in the hosts file
	MetricsFrom []netip.Prefix
	LogLevel    string // debug, info, warn or error

	OIDC OIDC // who else vouches for people

	Slots      int           // runs at a time
	Drain      time.Duration // that running runs have at the end of the server
	Privileged bool          // steps may be privileged
	Limits     drydock.Limits
	MaxCache   int64 // of the engine, bytes; 0 for a tenth of the disk
	MaxUpload  int64 // bytes
	// SourceFiles are folders whose git repositories runs may read.
	SourceFiles []string
	// SourceAllow are loopback networks that runs may fetch sources from.
	SourceAllow []netip.Prefix
	SourcePoll  time.Duration // between two looks at a git repository that nobody tells of
	LogLinks    bool          // commit statuses link to logs

	RunsFor    time.Duration // how long runs are kept with their logs; 0 for good
	LogsFor    time.Duration // how long logs are kept
	SourcesFor time.Duration // how long uploads are kept

	Mirrors  map[string][]*url.URL // registry host → base URLs, asked in order
	CAs      map[string][]byte     // registry host, or "" for all → PEM certificates
	Insecure []string
	Images   map[string]string // image aliases of `cmd`
	// Polls are how often images of other registries are looked at: by host, and
	// under "" for all others.
	Polls map[string]PollInterval
	// MaxPerUpdate is how many runs because of one change of a base image are
	// carried out at a time; 0 for any number.
	MaxPerUpdate int
	// WebhooksAllow are networks of this machine itself that webhooks may reach.
	WebhooksAllow []netip.Prefix
	// WebhooksDeny are networks that webhooks may not reach, beside those that
	// none may.
	WebhooksDeny []netip.Prefix
	Storage      map[string]string // of registries: "driver", and the driver's parameters; nil for files in Data
	Proxy        Proxy
	Vaults       Vaults
	Azure        Azure
	Instances    Instances
}

// Proxy is how the server reaches others; empty fields mean directly.
type Proxy struct {
	HTTP, HTTPS *url.URL
	Except      string // as in $NO_PROXY
}
