// Package upstream watches images in registries that are not this server's: it
// asks the registries for the digests behind tags, at intervals and when somebody
// says that an image may have changed, and makes an event of each change. What
// webhooks say is a reason to ask, and never believed.
package upstream
