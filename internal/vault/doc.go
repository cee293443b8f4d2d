// Package vault keeps the secrets of key vaults and serves them as Azure Key
// Vault does; and it reads those of other stores behind one port.
//
// Values are encrypted with keys that are kept beside them, themselves encrypted
// with a key of a file or of a key management service. They are in no error, no
// log and no audit record.
package vault
