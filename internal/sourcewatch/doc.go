// Package sourcewatch learns of changes of git repositories and starts the runs
// that they ask for. The git host calls a webhook, or the server looks at the
// repository again and again. A call only says where to look: what the repository
// is like is compared with what it was like before, so that calls that come twice,
// late, in another order or not at all start neither too many runs nor too few.
package sourcewatch
