// Package vaulttest has for tests what vaults read secrets from and are encrypted
// with: local servers that answer as the documentation of the services says.
package vaulttest
