package runnet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// linkLocal is where clouds answer for the machine's own credentials.
func linkLocal() netip.Prefix { return netip.MustParsePrefix("169.254.0.0/16") }

// table is an nftables table under construction.
type table struct {
	conn  *nftables.Conn
	table *nftables.Table
}

// newTable begins a table in the namespace of the calling thread.
func newTable(name string) *table {
	conn := &nftables.Conn{}
	return &table{conn, conn.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: name})}
}

func (t *table) chain(name string, typ nftables.ChainType, hook *nftables.ChainHook, prio int, policy nftables.ChainPolicy) *chain {
	return &chain{t, t.conn.AddChain(&nftables.Chain{
		Name: name, Table: t.table, Type: typ, Hooknum: hook,
		Priority: nftables.ChainPriorityRef(nftables.ChainPriority(prio)), Policy: &policy,
	})}
}

// commit sends the table to the kernel, whole or not at all.
func (t *table) commit() error {
	if err := t.conn.Flush(); err != nil {
		return fmt.Errorf("writing nftables table %s: %w", t.table.Name, err)
	}
	return nil
}

type chain struct {
	table *table
	chain *nftables.Chain
}

// rule adds a rule; each part adds a condition or the verdict.
func (c *chain) rule(parts ...[]expr.Any) {
	var exprs []expr.Any
	for _, p := range parts {
		exprs = append(exprs, p...)
	}
	c.table.conn.AddRule(&nftables.Rule{Table: c.table.table, Chain: c.chain, Exprs: exprs})
}

// hostTable is the table of an instance in the host's namespace: it lets the
// links whose names begin with links out, and nothing in that they didn't ask for.
// What goes to public addresses comes in all the same, and its answers go out.
func hostTable(name, links string, uplinks netip.Prefix) (*table, error) {
	t := newTable(name)
	public := publicSet(t.table)
	if err := t.conn.AddSet(public, nil); err != nil {
		return nil, fmt.Errorf("making the set of public addresses: %w", err)
	}
	// Before the usual filter chains, so that a drop here costs little.
	forward := t.chain("forward", nftables.ChainTypeFilter, nftables.ChainHookForward, -5, nftables.ChainPolicyAccept)
	forward.rule(outLinks(links), among(public, destinationOffset), verdict(expr.VerdictAccept))
	forward.rule(inLinks(links), among(public, sourceOffset), solicited(), verdict(expr.VerdictAccept))
	forward.rule(inLinks(links), source(uplinks, false), verdict(expr.VerdictDrop))
	forward.rule(inLinks(links), outLinks(links), reject())
	forward.rule(inLinks(links), destination(uplinks), reject())
	forward.rule(inLinks(links), destination(linkLocal()), reject())
	forward.rule(outLinks(links), unsolicited(), verdict(expr.VerdictDrop))

	// The kernel drops these itself, unless somebody set route_localnet.
	input := t.chain("input", nftables.ChainTypeFilter, nftables.ChainHookInput, -5, nftables.ChainPolicyAccept)
	input.rule(inLinks(links), destination(netip.MustParsePrefix("127.0.0.0/8")), verdict(expr.VerdictDrop))
	input.rule(inLinks(links), among(public, sourceOffset), solicited(), verdict(expr.VerdictAccept))
	input.rule(inLinks(links), source(uplinks, false), verdict(expr.VerdictDrop))

	post := t.chain("postrouting", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, 100, nftables.ChainPolicyAccept)
	post.rule(source(uplinks, true), outLinksNot(links), []expr.Any{&expr.Masq{}})
	return t, nil
}

// publicSet is the set of an instance's public addresses.
func publicSet(of *nftables.Table) *nftables.Set {
	return &nftables.Set{Table: of, Name: "public", KeyType: nftables.TypeIPAddr}
}

// setPublic says whether an address is one of an instance's public ones.
func setPublic(table string, addr netip.Addr, public bool) error {
	conn := &nftables.Conn{}
	set := publicSet(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: table})
	change := conn.SetAddElements
	if !public {
		change = conn.SetDeleteElements
	}
	if err := change(set, []nftables.SetElement{{Key: addr.AsSlice()}}); err != nil {
		return fmt.Errorf("changing the public addresses: %w", err)
	}
	if err := conn.Flush(); err != nil && !(errors.Is(err, unix.ENOENT) && !public) {
		return fmt.Errorf("changing the public addresses: %w", err)
	}
	return nil
}

// runTable is the table in the namespace of a run: containers get out through
// the uplink, and to the containers on their own bridge where it is listed. The
// run's public address, if it is valid, can be reached from outside.
func runTable(subnet netip.Prefix, bridges []string, public netip.Addr) *table {
	t := newTable("drydock")
	forward := t.chain("forward", nftables.ChainTypeFilter, nftables.ChainHookForward, 0, nftables.ChainPolicyDrop)
	forward.rule(solicited(), verdict(expr.VerdictAccept))
	forward.rule(inLinkNot(uplinkName), outLink(uplinkName), source(subnet, true), verdict(expr.VerdictAccept))
	for _, b := range bridges {
		forward.rule(inLink(b), outLink(b), verdict(expr.VerdictAccept))
	}
	forward.rule(inLinkNot(uplinkName), reject())
	input := t.chain("input", nftables.ChainTypeFilter, nftables.ChainHookInput, 0, nftables.ChainPolicyAccept)
	if public.IsValid() {
		input.rule(inLink(uplinkName), destination(netip.PrefixFrom(public, 32)), verdict(expr.VerdictAccept))
	}
	input.rule(inLink(uplinkName), unsolicited(), verdict(expr.VerdictDrop))
	post := t.chain("postrouting", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, 100, nftables.ChainPolicyAccept)
	post.rule(outLink(uplinkName), []expr.Any{&expr.Masq{}})
	return t
}

// deleteTable deletes a table of the host; no such table is no error.
func deleteTable(name string) error {
	conn := &nftables.Conn{}
	conn.DelTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: name})
	if err := conn.Flush(); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("deleting nftables table %s: %w", name, err)
	}
	return nil
}

// droppingChains names the chains of the host that drop forwarded IPv4 packets
// unless a rule lets them through.
func droppingChains() ([]string, error) {
	chains, err := (&nftables.Conn{}).ListChains()
	if err != nil {
		return nil, fmt.Errorf("listing nftables chains: %w", err)
	}
	var names []string
	for _, c := range chains {
		family := c.Table.Family
		if family != nftables.TableFamilyIPv4 && family != nftables.TableFamilyINet {
			continue
		}
		if c.Hooknum != nil && *c.Hooknum == *nftables.ChainHookForward && c.Policy != nil && *c.Policy == nftables.ChainPolicyDrop {
			names = append(names, c.Table.Name+" "+c.Name)
		}
	}
	return names, nil
}

func verdict(kind expr.VerdictKind) []expr.Any { return []expr.Any{&expr.Verdict{Kind: kind}} }

// reject refuses with an ICMP message, so that a step learns of it at once
// instead of waiting.
func reject() []expr.Any {
	return []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_ICMP_UNREACH, Code: icmpProhibited}}
}

// icmpProhibited is "communication administratively prohibited" (RFC 1812).
const icmpProhibited = 13

func inLink(name string) []expr.Any { return link(expr.MetaKeyIIFNAME, expr.CmpOpEq, name+"\x00") }

func inLinkNot(name string) []expr.Any { return link(expr.MetaKeyIIFNAME, expr.CmpOpNeq, name+"\x00") }

func outLink(name string) []expr.Any { return link(expr.MetaKeyOIFNAME, expr.CmpOpEq, name+"\x00") }

func inLinks(prefix string) []expr.Any { return link(expr.MetaKeyIIFNAME, expr.CmpOpEq, prefix) }

func outLinks(prefix string) []expr.Any { return link(expr.MetaKeyOIFNAME, expr.CmpOpEq, prefix) }

func outLinksNot(prefix string) []expr.Any { return link(expr.MetaKeyOIFNAME, expr.CmpOpNeq, prefix) }

// link compares a link's name with data: a whole name where data ends in NUL, a
// prefix otherwise.
func link(key expr.MetaKey, op expr.CmpOp, data string) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: key, Register: 1},
		&expr.Cmp{Op: op, Register: 1, Data: []byte(data)},
	}
}

// Offsets of the addresses in an IPv4 header.
const (
	sourceOffset      = 12
	destinationOffset = 16
)

// among matches packets that have an address of a set.
func among(set *nftables.Set, offset uint32) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: 4},
		&expr.Lookup{SourceRegister: 1, SetName: set.Name, SetID: set.ID},
	}
}

func source(p netip.Prefix, in bool) []expr.Any { return address(sourceOffset, p, in) }

func destination(p netip.Prefix) []expr.Any { return address(destinationOffset, p, true) }

func address(offset uint32, p netip.Prefix, in bool) []expr.Any {
	op := expr.CmpOpEq
	if !in {
		op = expr.CmpOpNeq
	}
	mask := binary.BigEndian.AppendUint32(nil, ^uint32(0)<<(32-p.Bits()))
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: 4},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: mask, Xor: make([]byte, 4)},
		&expr.Cmp{Op: op, Register: 1, Data: p.Masked().Addr().AsSlice()},
	}
}

// solicited matches packets of connections that began on the other side.
func solicited() []expr.Any { return state(expr.CmpOpNeq) }

// unsolicited matches all others.
func unsolicited() []expr.Any { return state(expr.CmpOpEq) }

func state(op expr.CmpOp) []expr.Any {
	mask := binary.NativeEndian.AppendUint32(nil, expr.CtStateBitESTABLISHED|expr.CtStateBitRELATED)
	return []expr.Any{
		&expr.Ct{Register: 1, Key: expr.CtKeySTATE},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: mask, Xor: make([]byte, 4)},
		&expr.Cmp{Op: op, Register: 1, Data: make([]byte, 4)},
	}
}
