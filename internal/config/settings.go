package config

import (
	"net/netip"
	"net/url"
	"slices"
	"time"
)

// Settings returns all settings, in the order in which they are shown.
func Settings() []*Setting {
	return slices.Concat(serverSettings(), oidcSettings(), azureSettings(), runSettings(), triggerSettings(), vaultSettings(), instanceSettings(), registrySettings())
}

// serverSettings say where the server is and who may reach it.
func serverSettings() []*Setting {
	return []*Setting{
		{
			Name: "data", Value: "FOLDER", Usage: "where everything is kept",
			Default: []string{"/var/lib/drydock"}, set: one(setFolder),
		},
		{
			Name: "domain", Value: "NAME", Usage: "domain of the server's hosts: management.NAME, login.NAME, REGISTRY.azurecr.NAME, …",
			Default: []string{"drydock.test"}, set: one(setDomain),
		},
		{
			Name: "listen", Value: "ADDRESS", Usage: "address and port to listen on",
			Default: []string{":443"}, set: one(setListen),
		},
		{
			Name: "port", Value: "NUMBER", Usage: "port in the URLs that clients are told (default: that of --listen)",
			set: one(number(func(c *Config, n int) { c.Port = n }, 1, 65535)),
		},
		{
			Name: "public-url", Value: "URL",
			Usage: "how git hosts elsewhere reach the management host, for their webhooks (default: they don't, and are polled)",
			set:   one(setPublicURL),
		},
		{
			Name: "tls.certificate", Value: "FILE", Usage: "certificate chain in PEM form (default: one of the server's own CA)",
			set: one(setFile(func(c *Config, v string) { c.Certificate = v })),
		},
		{
			Name: "tls.key", Value: "FILE", Usage: "private key of the certificate",
			set: one(setFile(func(c *Config, v string) { c.Key = v })),
		},
		{
			Name: "manage-hosts", Usage: "keep the server's names in the hosts file of this machine",
			Switch: true, Default: []string{"false"}, set: one(boolean(func(c *Config, v bool) { c.ManageHosts = v })),
		},
		{
			Name: "metrics-from", Value: "NETWORK", Usage: "who may read /metrics", List: true,
			Default: []string{"127.0.0.0/8", "::1/128"}, set: each(addNetwork(func(c *Config) *[]netip.Prefix { return &c.MetricsFrom })),
		},
		{
			Name: "log-level", Value: "LEVEL", Usage: "debug, info, warn or error",
			Default: []string{"info"}, set: one(setLevel),
		},
	}
}

// runSettings say what runs may use, and what is kept of them.
func runSettings() []*Setting {
	return []*Setting{
		{
			Name: "runs.slots", Value: "NUMBER", Usage: "runs at a time (default: the number of processors, and 2 at least)",
			set: one(number(func(c *Config, n int) { c.Slots = n }, 1, 10_000)),
		},
		{
			Name: "runs.drain", Value: "TIME", Usage: "time that running runs have when the server is asked to end",
			Default: []string{"30s"}, set: one(duration(func(c *Config, d time.Duration) { c.Drain = d }, true)),
		},
		{
			Name: "runs.allow-privileged", Usage: "carry out steps that are privileged",
			Switch: true, Default: []string{"false"}, set: one(boolean(func(c *Config, v bool) { c.Privileged = v })),
		},
		{
			Name: "runs.memory", Value: "SIZE", Usage: "memory that a run may use, as 2g",
			set: one(size(func(c *Config, n int64) { c.Limits.Memory = n })),
		},
		{
			Name: "runs.cpus", Value: "NUMBER", Usage: "processors that a run may use",
			set: one(setCPUs),
		},
		{
			Name: "runs.pids", Value: "NUMBER", Usage: "processes and threads that a run may have",
			set: one(number(func(c *Config, n int) { c.Limits.PIDs = int64(n) }, 1, 4_000_000)),
		},
		{
			Name: "runs.images", Value: "NAME=IMAGE", Usage: "image aliases of cmd steps, in place of the usual ones", List: true,
			set: each(addImage),
		},
		{
			Name: "cache.max", Value: "SIZE", Usage: "what the build cache may hold (default: a tenth of the disk)",
			set: one(size(func(c *Config, n int64) { c.MaxCache = n })),
		},
		{
			Name: "uploads.max", Value: "SIZE", Usage: "size of an uploaded context",
			Default: []string{"16g"}, set: one(size(func(c *Config, n int64) { c.MaxUpload = n })),
		},
		{
			Name: "sources.files", Value: "FOLDER", Usage: "open the git repositories below FOLDER to runs, as file:// sources", List: true,
			set: each(addFolder),
		},
		{
			Name: "sources.allow", Value: "NETWORK", Usage: "loopback addresses that runs may fetch sources from, as 127.0.0.0/8", List: true,
			set: each(addLoopback(func(c *Config) *[]netip.Prefix { return &c.SourceAllow })),
		},
		{
			Name: "sources.poll", Value: "TIME", Usage: "time between two looks at a git repository without a webhook; with one, it is ten times as long",
			Default: []string{"1m"}, set: one(duration(func(c *Config, d time.Duration) { c.SourcePoll = d }, false)),
		},
		{
			Name: "sources.log-links", Usage: "let commit statuses link to the logs of runs: who sees a status can read the log",
			Switch: true, Default: []string{"true"}, set: one(boolean(func(c *Config, v bool) { c.LogLinks = v })),
		},
		{
			Name: "retention.runs", Value: "TIME", Usage: "how long runs that have ended are kept, with their logs; 0 for good",
			Default: []string{"90d"}, set: one(duration(func(c *Config, d time.Duration) { c.RunsFor = d }, true)),
		},
		{
			Name: "retention.logs", Value: "TIME", Usage: "how long logs are kept, as 30d",
			Default: []string{"30d"}, set: one(duration(func(c *Config, d time.Duration) { c.LogsFor = d }, false)),
		},
		{
			Name: "retention.sources", Value: "TIME", Usage: "how long uploaded contexts are kept",
			Default: []string{"1d"}, set: one(duration(func(c *Config, d time.Duration) { c.SourcesFor = d }, false)),
		},
	}
}

// registrySettings say how other servers are reached.
func registrySettings() []*Setting {
	return []*Setting{
		{
			Name: "registries.storage", Value: "NAME=VALUE", Usage: "where blobs are kept: driver=filesystem, s3 or azure, and the driver's parameters", List: true,
			set: each(addStorage), show: redactStorage,
		},
		{
			Name: "registries.mirrors", Value: "HOST=URL", Usage: "ask another registry for the images of HOST", List: true,
			set: each(addMirror), show: redactMirror,
		},
		{
			Name: "registries.cas", Value: "[HOST=]FILE", Usage: "trust these CA certificates, for all registries or one", List: true,
			set: each(addCA),
		},
		{
			Name: "registries.insecure", Value: "HOST", Usage: "allow plain HTTP and unknown certificates of HOST", List: true,
			set: each(addInsecure),
		},
		{
			Name: "webhooks.allow", Value: "NETWORK", Usage: "loopback addresses that webhooks may reach, as 127.0.0.0/8", List: true,
			set: each(addLoopback(func(c *Config) *[]netip.Prefix { return &c.WebhooksAllow })),
		},
		{
			Name: "webhooks.deny", Value: "NETWORK", Usage: "networks that webhooks may not reach, beside link-local ones", List: true,
			set: each(addNetwork(func(c *Config) *[]netip.Prefix { return &c.WebhooksDeny })),
		},
		{
			Name: "proxy.http", Value: "URL", Usage: "proxy for plain HTTP (default: $HTTP_PROXY)",
			set: one(setProxy(func(c *Config) **url.URL { return &c.Proxy.HTTP })), show: redactURL,
		},
		{
			Name: "proxy.https", Value: "URL", Usage: "proxy for HTTPS (default: $HTTPS_PROXY)",
			set: one(setProxy(func(c *Config) **url.URL { return &c.Proxy.HTTPS })), show: redactURL,
		},
		{
			Name: "proxy.except", Value: "HOSTS", Usage: "hosts that are reached directly, as in $NO_PROXY",
			set: one(func(c *Config, v string) error { c.Proxy.Except = v; return nil }),
		},
	}
}
