// Package graph is the part of the Microsoft Graph API that clients need to look
// after who signs in: people, groups, applications, service principals and secrets.
// docs/graph.md lists what it serves.
package graph
