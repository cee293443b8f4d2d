package buildflags

import (
	"math"
	"strconv"

	"github.com/docker/go-units"
)

// resourceFlags are those that bound what a build may use.
func (p *parser) resourceFlags() {
	b := p.build
	p.value("memory", "m", func(v string) error { return setSize(&b.Memory, v) })
	p.value("shm-size", "", func(v string) error { return setSize(&b.ShmSize, v) })
	p.value("cpus", "", b.setCPUs)
	p.value("ulimit", "", func(v string) error {
		if _, err := units.ParseUlimit(v); err != nil {
			return invalid("%q is not a limit: %v", v, err).WithHint("write nofile=1024:2048")
		}
		b.Ulimits = append(b.Ulimits, v)
		return nil
	})
	p.flags.Int64Var(&b.CPUQuota, "cpu-quota", 0, "")
	p.flags.Int64Var(&b.CPUPeriod, "cpu-period", 0, "")
	p.flags.Int64VarP(&b.CPUShares, "cpu-shares", "c", 0, "")
	p.flags.StringVar(&b.CPUSet, "cpuset-cpus", "", "")
}

// setSize reads a size such as 512m or 2g.
func setSize(size *int64, v string) error {
	n, err := units.RAMInBytes(v)
	if err != nil || n < 0 {
		return invalid("%q is not a size", v).WithHint("write bytes, or a number with k, m or g")
	}
	*size = n
	return nil
}

// setCPUs turns a number of processors into quota and period, as `docker run
// --cpus` does.
func (b *Build) setCPUs(v string) error {
	const period = 100_000 // microseconds: the kernel's default
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || !(n > 0) || n > math.MaxInt32 {
		return invalid("%q is not a number of processors", v).WithHint("write a decimal number such as 1.5")
	}
	b.CPUPeriod, b.CPUQuota = period, int64(n*period)
	return nil
}
