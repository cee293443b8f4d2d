package upstream

// What is tried by itself.
var (
	RetryAfter = retryAfter
	Exhausted  = exhausted
)

// LongestTold is the longest pause that a registry may ask for.
const LongestTold = longestTold
