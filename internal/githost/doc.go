// Package githost speaks with git hosts: it makes and removes webhooks, reads
// what they deliver, asks for pull requests and tells what became of commits.
// All hosts are behind one port; which of them a repository is on is found out
// from its URL and, where that does not say, from the host itself.
package githost
