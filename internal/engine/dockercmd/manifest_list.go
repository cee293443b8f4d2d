package dockercmd

// manifestList is a manifest list under construction.
type manifestList struct{}
