// Package graph is the part of the Microsoft Graph API that clients need to look
// after service principals: applications, service principals and their secrets.
// docs/graph.md lists what it serves.
package graph
