package drydock

// Limits bound what the containers of one run may use together. Zero means the
// executor's own default, which is never "unlimited" for PIDs.
type Limits struct {
	Memory int64   // bytes
	CPUs   float64 // number of processors
	PIDs   int64   // processes and threads
}
