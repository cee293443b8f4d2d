package buildflags

import (
	"slices"
	"strconv"
)

// ignoredFlags are those that are accepted and mean nothing here. There is a
// warning where a build by docker would differ.
func (p *parser) ignoredFlags() {
	for _, name := range []string{"squash", "compress", "stream"} {
		p.ignoredSwitch(name)
	}
	for _, name := range []string{"rm", "force-rm", "disable-content-trust"} {
		p.flags.Bool(name, false, "")
	}
	p.flags.BoolP("debug", "D", false, "")
	for _, name := range []string{
		"security-opt", "cgroup-parent", "cpuset-mems", "memory-swap", "builder", "iidfile", "metadata-file",
		"annotation", "allow", "policy", "source-policy-file", "attest",
	} {
		p.value(name, "", func(string) error { return p.build.ignored(name) })
	}
	p.value("isolation", "", func(v string) error {
		if v == "default" {
			return nil
		}
		return p.build.ignored("isolation")
	})
	p.attestation("provenance")
	p.attestation("sbom")
	p.value("call", "", func(v string) error {
		if v == "build" {
			return nil
		}
		return invalid("only build is supported")
	})
}

// ignoredSwitch defines a bool that warns when it is on.
func (p *parser) ignoredSwitch(name string) {
	p.flags.BoolFunc(name, "", func(v string) error {
		on, err := strconv.ParseBool(v)
		if err != nil {
			return invalid("its value is neither true nor false")
		}
		if on {
			return p.build.ignored(name)
		}
		return nil
	})
}

// attestation defines a flag that may stand without a value, and warns unless
// it is off, as attestations are here.
func (p *parser) attestation(name string) {
	p.value(name, "", func(v string) error {
		if v == "false" || v == "disabled=true" {
			return nil
		}
		return p.build.ignored(name)
	})
	p.flags.Lookup(name).NoOptDefVal = "true"
}

func (b *Build) ignored(name string) error {
	b.warn("--" + name + " has no effect.")
	return nil
}

// warn adds a warning once.
func (b *Build) warn(text string) {
	if !slices.Contains(b.Warnings, text) {
		b.Warnings = append(b.Warnings, text)
	}
}
