package images

// Lock is what holds a build.
var Lock = lock
