package buildkit

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/moby/buildkit/util/leaseutil"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit/runnet"
	"github.com/drydockhq/drydock/internal/instance"
)

// Instances runs container groups on the executor: their containers live until
// they end or the executor is closed. An executor that starts kills those of
// one that was killed.
func (e *Executor) Instances() instance.Engine { return &instanceEngine{e} }

type instanceEngine struct{ executor *Executor }

// Resolve implements instance.Engine.
func (i *instanceEngine) Resolve(ctx context.Context, image string, credentials []drydock.Credential) (string, error) {
	name, err := completeName(image)
	if err != nil {
		return "", err
	}
	desc, err := i.executor.remoteOfGroup(credentials).head(ctx, name)
	return desc.Digest.String(), err
}

// remoteFor is the registries as they are seen with credentials.
func (e *Executor) remoteFor(credentials []drydock.Credential) *remote {
	return e.remoteAs(&logins{opened: credentials, keychain: e.config.Keychain}, false)
}

// remoteOfGroup is remoteFor for container groups.
func (e *Executor) remoteOfGroup(credentials []drydock.Credential) *remote {
	r := e.remoteFor(credentials)
	r.advice.Credentials = r.advice.GroupCredentials
	return r
}

// loginKeychain is a group's logins before a keychain, which may be nil.
type loginKeychain struct {
	login instance.LoginFunc
	next  Keychain
}

// Lookup implements Keychain.
func (k loginKeychain) Lookup(ctx context.Context, host string) (user, secret string, err error) {
	c, found, err := k.login(ctx, host)
	if err != nil || found || k.next == nil {
		return c.Username, c.Password, err
	}
	return k.next.Lookup(ctx, host)
}

// Open implements instance.Engine.
func (i *instanceEngine) Open(ctx context.Context, spec instance.NetworkSpec) (instance.Network, error) {
	opt := runnet.AddressOptions{Want: spec.Want, Hosts: spec.Hosts}
	if spec.Public {
		opt.Kind = runnet.OwnAddress
		if i.executor.config.HostAddress {
			opt.Kind = runnet.HostAddress
		}
	}
	address, err := i.executor.network.OpenAddress(ctx, spec.ID, opt)
	if err != nil {
		return nil, err
	}
	return &instanceNetwork{net: address, executor: i.executor, id: spec.ID, pods: map[*pod]struct{}{}}, nil
}

// instanceNetwork is the network of a group.
type instanceNetwork struct {
	net      *runnet.Address
	executor *Executor
	id       string
	made     atomic.Int64 // pods so far

	mu   sync.Mutex
	pods map[*pod]struct{}
}

// NewPod implements instance.Network.
func (n *instanceNetwork) NewPod(ctx context.Context, spec instance.PodSpec) (_ instance.Pod, err error) {
	e := n.executor
	remote := e.remoteOfGroup(spec.Credentials)
	if spec.Login != nil {
		remote.logins.keychain = loginKeychain{spec.Login, remote.logins.keychain}
	}
	s := &session{executor: e, spec: engine.RunSpec{Hosts: spec.Hosts}, remote: remote, logins: remote.logins, limits: withDefaults(drydock.Limits{}, drydock.Limits{}), digests: map[string]string{}}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.images = newImageTable(s)
	p := &pod{session: s, network: n, spec: spec, boxes: map[string]*box{}}
	defer func() {
		if err != nil {
			err = errors.Join(explainFull(ctx, e.config, err), p.Close())
		}
	}()
	if s.dir, err = e.runtime.newRunDir("instance-" + n.id); err != nil {
		return nil, err
	}
	if s.workspace, err = emptyWorkspace(s.dir); err != nil {
		return nil, err
	}
	if s.lease, err = e.worker.LeaseManager().Create(ctx, leases.WithRandomID(), leaseutil.MakeTemporary); err != nil {
		return nil, err
	}
	if err := p.makeVolumes(); err != nil {
		return nil, err
	}
	if p.attachment, err = n.net.Attach(ctx, runnet.Endpoint{Name: fmt.Sprintf("pod-%d", n.made.Add(1)), Aliases: []string{spec.Host}}); err != nil {
		return nil, err
	}
	g := e.runtime.group.child(filepath.Base(s.dir))
	s.group = &g
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pods[p] = struct{}{}
	return p, g.make()
}

// Publish implements instance.Network.
func (n *instanceNetwork) Publish(ctx context.Context, to instance.Pod, ports []drydock.GroupPort) error {
	target, ok := to.(*pod)
	if !ok || target.network != n {
		return drydock.Errorf(drydock.Internal, "the pod is of another network")
	}
	list := make([]runnet.Port, len(ports))
	for i, p := range ports {
		list[i] = runnet.Port{Proto: p.Protocol, Number: p.Number}
	}
	return n.net.Serve(ctx, target.attachment, list)
}

// Drain implements instance.Network.
func (n *instanceNetwork) Drain(ctx context.Context, from instance.Pod) {
	if p, ok := from.(*pod); ok && p.network == n {
		n.net.Drain(ctx, p.attachment)
	}
}

// Address implements instance.Network.
func (n *instanceNetwork) Address() netip.Addr { return n.net.Addr() }

// Close implements instance.Network.
func (n *instanceNetwork) Close() error {
	n.mu.Lock()
	pods := n.pods
	n.pods = map[*pod]struct{}{}
	n.mu.Unlock()
	var errs []error
	for p := range pods {
		errs = append(errs, p.Close())
	}
	return errors.Join(append(errs, n.net.Close())...)
}
