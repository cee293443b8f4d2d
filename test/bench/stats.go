package main

import (
	"math"
	"slices"
	"time"
)

// median returns the middle of the values, or the mean of the two in the
// middle; 0 for none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// percentile returns the least value that a part of the values, as 0.99, does
// not exceed; 0 for none.
func percentile(values []float64, part float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(math.Ceil(part*float64(len(sorted))))-1)]
}

// ratios returns each value as a multiple of the base of the same round, which
// was measured within a second or two of it: load that comes and goes while the
// program runs falls on both.
func ratios(values, base []float64) []float64 {
	out := make([]float64, 0, len(values))
	for i, v := range values {
		out = append(out, v/base[i])
	}
	return out
}

// milliseconds returns d as the table has it.
func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }
