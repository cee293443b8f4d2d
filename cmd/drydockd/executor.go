package main

import (
	"context"

	"github.com/sirupsen/logrus"

	"github.com/drydockhq/drydock/internal/credentials"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/internal/instance"
)

// executor is the engine's executor as the program owns it.
type executor interface {
	engine.Executor
	DiskUsage(ctx context.Context) ([]buildkit.CacheRecord, error)
	Prune(ctx context.Context, o buildkit.PruneOptions) ([]buildkit.CacheRecord, error)
	Instances() instance.Engine
	Close() error
}

// openExecutor opens the executor of this machine. The caller closes it.
type openExecutor func(ctx context.Context, o engineOptions) (executor, error)

// openBuildKit opens the one on embedded BuildKit. It decides what becomes of
// the log that BuildKit and containerd keep of their own, which is one for the
// process and means nothing to users.
func openBuildKit(ctx context.Context, o engineOptions) (executor, error) {
	logrus.SetOutput(o.libraryLog)
	config := buildkit.Config{
		Root:        o.data,
		Wait:        o.wait,
		Registries:  buildkit.Registries{Mirrors: o.mirrors, CAs: o.cas, Insecure: o.insecure, Local: o.local, Dial: o.dial},
		Limits:      o.limits,
		MaxCache:    o.maxCache,
		Downloads:   o.downloads,
		Addresses:   o.instances.Addresses,
		HostAddress: o.instances.HostAddress,
		Programs:    ownPrograms(),
		Warn:        o.warn,
		Advice:      o.advice,

		OwnsProcess: true,
	}
	if o.realLocal != nil {
		real := config.Registries
		real.Local, real.Dial = o.realLocal, o.realDial
		config.RealRegistries = &real
	}
	if o.keychain != nil {
		config.Keychain = keychain{o.keychain}
	}
	return buildkit.New(ctx, config)
}

// ownPrograms returns what is in the built-in images: this program, by the names
// under which it is others. What is at its path may be another one by now.
func ownPrograms() map[string]string {
	const self = "/proc/self/exe"
	return map[string]string{"acr": self, "az": self}
}

// keychain is package credentials as the executor wants it.
type keychain struct{ credentials.Keychain }

// Lookup implements buildkit.Keychain.
func (k keychain) Lookup(ctx context.Context, host string) (user, secret string, err error) {
	c, _, err := k.Keychain.Lookup(ctx, host)
	return c.Username, c.Secret, err
}

// lateExecutor opens the executor with the first run: what is wrong with a task
// is said first, and to users without root too.
type lateExecutor struct {
	open     openExecutor
	options  engineOptions
	executor executor
}

var _ engine.Executor = (*lateExecutor)(nil)

// Open implements engine.Executor. It is not safe for concurrent use.
func (l *lateExecutor) Open(ctx context.Context, spec engine.RunSpec) (engine.Session, error) {
	if l.executor == nil {
		e, err := l.open(ctx, l.options)
		if err != nil {
			return nil, err
		}
		l.executor = e
	}
	return l.executor.Open(ctx, spec)
}

// close closes the executor if it was opened.
func (l *lateExecutor) close() error {
	if l.executor == nil {
		return nil
	}
	return l.executor.Close()
}
