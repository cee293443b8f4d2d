package main

import "fmt"

// welcome prints, at the first start, the admin's credentials and what to do
// next.
func (d *daemon) welcome() {
	if d.admin == nil {
		return
	}
	fmt.Fprintf(d.stdout, `Drydock is ready at %[1]s.

The admin signs in with these; the secret is shown only now
(drydockd admin reset makes another one):
  tenant     %[2]s
  client id  %[3]s
  secret     %[4]s

Next:
  %[5]s
  drydock login --endpoint %[1]s --service-principal -u %[3]s -p %[4]s --tenant %[2]s
  drydock group create -n demo -l local && drydock acr create -g demo -n %[6]s --sku Basic
`, d.names.url(managementHost), d.authority.Tenant(), d.admin.AppID, d.admin.Secret, d.trustLine(), "myregistry")
}

// trustLine is the command after which this machine's clients trust the server.
func (d *daemon) trustLine() string {
	if d.caPEM == nil {
		return "# the certificate is your own: nothing to trust"
	}
	return "sudo drydockd trust --data " + d.config.Data
}
