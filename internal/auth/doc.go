// Package auth says who somebody is and what they may do: it issues and checks
// the tokens of Drydock's own authority, and holds the roles.
package auth
