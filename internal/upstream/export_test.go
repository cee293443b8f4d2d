package upstream

// Exhausted is tried by itself.
var Exhausted = exhausted
