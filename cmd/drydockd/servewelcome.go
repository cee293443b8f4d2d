package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"
)

// welcome prints, at the first start, the admin's credentials and what to do
// next.
func (d *daemon) welcome(ctx context.Context) {
	if d.admin == nil {
		return
	}
	fmt.Fprintf(d.stdout, `Drydock is ready at %[1]s.

The admin signs in with these; the secret is shown only now
(drydockd admin reset makes another one):
  tenant     %[2]s
  client id  %[3]s
  secret     %[4]s
%[7]s
Next:
  %[5]s
  drydock login --endpoint %[1]s --service-principal -u %[3]s -p %[4]s --tenant %[2]s
  drydock group create -n demo -l local && drydock acr create -g demo -n %[6]s --sku Basic
`, d.names.url(managementHost), d.authority.Tenant(), d.admin.AppID, d.admin.Secret, d.trustLine(), "myregistry", d.unknownNames(ctx))
}

// trustLine is the command after which this machine's clients trust the server.
func (d *daemon) trustLine() string {
	if d.caPEM == nil {
		return "# the certificate is your own: nothing to trust"
	}
	return "sudo drydockd trust --data " + shellWord(d.config.Data)
}

// shellWord quotes a text for a shell, if it needs that.
func shellWord(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+@:=,", r)
	}
	if text != "" && strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// resolvedWithin is how long the machine's resolver may take.
const resolvedWithin = 3 * time.Second

// unknownNames says what to do first where this machine does not find the server
// by its names; it is empty where it does. The client finds names below localhost
// by itself.
func (d *daemon) unknownNames(ctx context.Context) string {
	host := managementHost + "." + d.names.domain
	if strings.HasSuffix(host, ".localhost") {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, resolvedWithin)
	defer cancel()
	if _, err := net.DefaultResolver.LookupHost(ctx, host); err == nil {
		return ""
	}
	return fmt.Sprintf(`
This machine does not know the name %[1]s, which what comes next
needs: start the server with --manage-hosts, or make DNS entries for *.%[2]s,
*.%[3]s.%[2]s and *.%[4]s.%[2]s.
`, host, d.names.domain, registryHosts, blobHosts)
}
