package buildkit

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/buildflags"
)

// frontendAttrs says to the Dockerfile frontend what the flags say.
func (b *build) frontendAttrs() (map[string]string, error) {
	f := b.Flags
	attrs := map[string]string{"filename": b.context.filename, "platform": "linux/amd64"}
	if b.context.url != "" {
		attrs["context"] = b.context.url
	}
	if len(f.Platforms) > 0 {
		for _, p := range f.Platforms {
			if _, err := platformOf(p); err != nil {
				return nil, err
			}
		}
		attrs["platform"] = strings.Join(f.Platforms, ",")
	}
	set(attrs, "target", f.Target)
	for _, arg := range append(append([]buildflags.Arg{}, f.Args...), f.SecretArgs...) {
		if value, ok := b.argValue(arg); ok {
			attrs["build-arg:"+arg.Name] = value
		}
	}
	for _, label := range f.Labels {
		attrs["label:"+label.Name] = label.Value
	}
	if f.NoCache {
		attrs["no-cache"] = ""
	} else if len(f.NoCacheFilter) > 0 {
		attrs["no-cache"] = strings.Join(f.NoCacheFilter, ",")
	}
	if f.Pull {
		attrs["image-resolve-mode"] = "pull"
	}
	if f.Network == "none" {
		attrs["force-network-mode"] = "none"
	}
	set(attrs, "add-hosts", strings.Join(addHosts(f.AddHosts), ","))
	set(attrs, "ulimit", strings.Join(f.Ulimits, ","))
	// Set last, so that no build reaches the cache mounts of another task.
	attrs["build-arg:BUILDKIT_CACHE_MOUNT_NS"] = b.cacheNamespace()
	for _, c := range f.BuildContexts {
		if err := b.addNamedContext(attrs, c); err != nil {
			return nil, err
		}
	}
	b.limitAttrs(attrs)
	return attrs, b.cacheAttrs(attrs)
}

func set(attrs map[string]string, key, value string) {
	if value != "" {
		attrs[key] = value
	}
}

// argValue returns a build argument's value; one without is taken from the
// step's environment, as docker takes it from its own.
func (b *build) argValue(arg buildflags.Arg) (string, bool) {
	if arg.HasValue {
		return arg.Value, true
	}
	return lookupEnv(b.Env, arg.Name)
}

// addHosts turns docker's HOST:IP into the frontend's HOST=IP.
func addHosts(hosts []string) []string {
	out := make([]string, len(hosts))
	for i, h := range hosts {
		host, ip, _ := strings.Cut(h, ":")
		out[i] = host + "=" + ip
	}
	return out
}

// limitAttrs bounds what each RUN may use by the flags and the run's limits.
// These attributes are no part of cache keys.
func (b *build) limitAttrs(attrs map[string]string) {
	f, limits := b.Flags, b.session.limits
	number := func(key string, n int64) {
		if n > 0 {
			attrs[key] = strconv.FormatInt(n, 10)
		}
	}
	memory := tighter(f.Memory, limits.Memory)
	number("memory", memory)
	if b.session.executor.machine.cgroups.limitsSwap {
		number("memswap", memory)
	}
	number("shm-size", f.ShmSize)
	number("cpushares", f.CPUShares)
	set(attrs, "cpusetcpus", f.CPUSet)
	period, quota := f.CPUPeriod, f.CPUQuota
	if period == 0 {
		period = cpuPeriod
	}
	if limit := cpuQuota(limits.CPUs); limit > 0 {
		quota = tighter(quota, int64(math.Round(float64(limit)*float64(period)/cpuPeriod)))
	}
	if quota > 0 {
		number("cpuquota", quota)
		number("cpuperiod", period)
	}
}

// tighter returns the smaller of two limits, where 0 is none.
func tighter(a, b int64) int64 {
	if a == 0 || (b > 0 && b < a) {
		return b
	}
	return a
}

// addNamedContext hands on a --build-context.
func (b *build) addNamedContext(attrs map[string]string, c buildflags.Arg) error {
	switch {
	case strings.HasPrefix(c.Value, "docker-image://"), buildflags.ContextKind(c.Value) == buildflags.Git,
		buildflags.ContextKind(c.Value) == buildflags.Tarball:
		attrs["context:"+c.Name] = c.Value
		return nil
	case strings.Contains(c.Value, "://"):
		return drydock.Errorf(drydock.Invalid, "--build-context %s: %q is not supported", c.Name, c.Value).
			WithHint("name a folder, a git or tarball URL, or docker-image://IMAGE")
	}
	key, err := b.context.addFolder(b, c.Value)
	if err != nil {
		return fmt.Errorf("--build-context %s: %w", c.Name, err)
	}
	attrs["context:"+c.Name] = "local:" + key
	return nil
}

// readFull is io.ReadFull for a buffer that may be larger than what there is.
func readFull(r io.Reader, buf []byte) (int, error) {
	n, err := io.ReadFull(r, buf)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return n, err
}
