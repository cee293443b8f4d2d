package graph

import (
	"fmt"
	"strings"
)

const documentHead = `# The Graph API

Made from the table of routes; ` + "`go test ./internal/graph -run TestDocument -update`" + ` writes it anew.

The host ` + "`graph.<domain>`" + ` speaks the part of the Microsoft Graph API that the Azure CLI and its like need to look after
people and service principals, below ` + "`/v1.0`" + ` (` + "`/beta`" + ` is the same). A request needs a bearer token of ` + "`login.<domain>`" + ` for this host, and
its principal the role Owner on the subscription. Where the last column says so, everybody may ask about itself; for
everything else the answer is 403. Errors have Graph's form.

An application and its service principal have one name and one set of secrets: a secret that is added to the one is the
other's too. Deleting the service principal takes its roles away and keeps the application; deleting the application
deletes both. The identities of tasks are listed among the service principals, and can't be changed here. Applications
sign in with secrets only: certificates, federated credentials, redirections and permissions are not part of this
server. Of the query options there are ` + "`$filter`" + ` (eq, ne, in, and, or, not, startswith, endswith, contains, any),
` + "`$select`" + `, ` + "`$top`" + `, ` + "`$count`" + ` and ` + "`$skiptoken`" + `. ` + "`{id}`" + ` is an object id; ` + "`applications(appId='…')`" + ` and
` + "`servicePrincipals(appId='…')`" + ` name the same by the client id.

A user signs in with its user principal name and a password, or is vouched for by the provider of identities that the
setting ` + "`oidc.issuer`" + ` names; those come into being when they first sign in. A group stands for the group of its name at that
provider, and who is in it is known there alone: it is made to be given roles. Deleting a user or a group takes its roles
away; somebody whom the provider still vouches for comes back without roles, and is kept out by disabling the user.

| method | path | what | about itself |
|---|---|---|---|
`

// Document returns docs/graph.md.
func Document() string {
	var b strings.Builder
	b.WriteString(documentHead)
	for _, rt := range (&Server{}).table() {
		self := ""
		if rt.self {
			self = "yes"
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", rt.method, rt.path, rt.what, self)
	}
	return b.String()
}
