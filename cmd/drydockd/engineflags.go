package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/go-units"
	"github.com/spf13/pflag"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/config"
	"github.com/drydockhq/drydock/internal/credentials"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
)

// defaultDataFolder holds caches and the state of runs. Containers need root,
// so there is one for the machine and none for a user.
const defaultDataFolder = "/var/lib/drydock"

// engineFlags say how the engine of this machine is set up.
type engineFlags struct {
	data     string
	mirrors  []string
	cas      []string
	insecure []string
	memory   string
	cpus     float64
	pids     int64
}

// engineOptions are engineFlags, checked.
type engineOptions struct {
	data     string
	mirrors  map[string][]*url.URL // registry host → base URLs, asked in order
	cas      map[string][]byte     // registry host, or "" for all → PEM certificates
	insecure []string              // hosts that may answer in plain HTTP or with an unknown certificate
	limits   drydock.Limits
	keychain credentials.Keychain // for registries that a run has no credentials for
	warn     func(format string, args ...any)

	wait     bool                             // for another process to give up the data folder
	maxCache int64                            // bytes; 0 for the executor's default
	local    func(host string) (string, bool) // see buildkit.Registries; may be nil
	dial     dialFunc                         // see buildkit.Registries; may be nil

	realLocal func(host string) (string, bool) // as local, of runs that reach the real Azure; nil for the same
	realDial  dialFunc

	instances config.Instances // see buildkit.Config

	advice     buildkit.Advice   // to users of the program
	downloads  http.RoundTripper // of builds; see buildkit.Config
	libraryLog io.Writer         // what BuildKit and containerd log of their own
}

// dialFunc is as in http.Transport.
type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

func (f *engineFlags) bind(flags *pflag.FlagSet) {
	f.bindData(flags)
	flags.StringArrayVar(&f.mirrors, "mirror", nil, "ask another registry for the images of a host, as `HOST=URL` (many)")
	flags.StringArrayVar(&f.cas, "ca", nil, "trust the CA certificates of `[HOST=]FILE`, for one registry or all (many)")
	flags.StringArrayVar(&f.insecure, "insecure-registry", nil, "allow plain HTTP and unknown certificates of `HOST` (many; loopback needs none)")
	flags.StringVar(&f.memory, "memory", "", "memory that the run may use, a `SIZE` such as 512m or 2g")
	flags.Float64Var(&f.cpus, "cpus", 0, "`NUMBER` of processors that the run may use")
	flags.Int64Var(&f.pids, "pids", 0, "`NUMBER` of processes and threads that the run may have")
}

func (f *engineFlags) bindData(flags *pflag.FlagSet) {
	flags.StringVar(&f.data, "data", defaultDataFolder, "`FOLDER` for caches and the state of runs")
}

// options checks the flags. The engine tells warn what goes wrong without
// failing a run.
func (f *engineFlags) options(warn func(format string, args ...any)) (engineOptions, error) {
	if f.data == "" {
		return engineOptions{}, drydock.Errorf(drydock.Invalid, "--data names no folder")
	}
	data, err := filepath.Abs(f.data)
	if err != nil {
		return engineOptions{}, fmt.Errorf("finding the data folder: %w", err)
	}
	o := engineOptions{
		data: data, insecure: f.insecure, warn: warn,
		mirrors: map[string][]*url.URL{}, cas: map[string][]byte{},
		libraryLog: io.Discard, wait: true,
	}
	for _, arg := range f.mirrors {
		host, base, err := mirror(arg)
		if err != nil {
			return engineOptions{}, err
		}
		o.mirrors[host] = append(o.mirrors[host], base)
	}
	for _, arg := range f.cas {
		host, pem, err := certificates(arg)
		if err != nil {
			return engineOptions{}, err
		}
		o.cas[host] = append(o.cas[host], pem...)
	}
	o.limits, err = f.limits()
	return o, err
}

// mirror parses HOST=URL.
func mirror(arg string) (host string, base *url.URL, err error) {
	host, text, _ := strings.Cut(arg, "=")
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	base, err = url.Parse(strings.TrimSuffix(text, "/"))
	if err == nil && base.User != nil {
		return "", nil, drydock.Errorf(drydock.Invalid, "the URL of --mirror for %s can't hold a user or password", host).
			WithHint("docker login or --credential give them, for the mirror's host")
	}
	if err != nil || host == "" || strings.Contains(host, "/") || base.Host == "" || base.RawQuery != "" ||
		(base.Scheme != "http" && base.Scheme != "https") {
		if strings.Contains(arg, "@") {
			arg = host + "=***" // it may hold a password
		}
		return "", nil, drydock.Errorf(drydock.Invalid, "--mirror %q is not of the form HOST=URL", arg).
			WithHint("as docker.io=http://localhost:5000")
	}
	return host, base, nil
}

// certificates reads FILE or HOST=FILE. A file whose own name has an "=" is
// found too.
func certificates(arg string) (host string, certificates []byte, err error) {
	file := arg
	if h, f, ok := strings.Cut(arg, "="); ok && !strings.Contains(h, "/") {
		if _, err := os.Stat(arg); err != nil {
			host, file = h, f
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", nil, drydock.Errorf(drydock.Invalid, "reading the certificates of --ca: %w", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(text) {
		return "", nil, drydock.Errorf(drydock.Invalid, "--ca %s holds no certificate in PEM form", file)
	}
	return host, append(text, '\n'), nil
}

func (f *engineFlags) limits() (drydock.Limits, error) {
	limits := drydock.Limits{CPUs: f.cpus, PIDs: f.pids}
	if f.cpus < 0 || f.pids < 0 {
		return limits, drydock.Errorf(drydock.Invalid, "--cpus and --pids can't be negative")
	}
	if f.memory == "" {
		return limits, nil
	}
	size, err := byteSize("memory", f.memory)
	limits.Memory = size
	return limits, err
}

// byteSize parses the size that a flag was given.
func byteSize(flag, arg string) (int64, error) {
	size, err := units.RAMInBytes(arg)
	if err != nil || size <= 0 {
		return 0, drydock.Errorf(drydock.Invalid, "--%s %q is not a size", flag, arg).WithHint("write it as 512m or 2g")
	}
	return size, nil
}
