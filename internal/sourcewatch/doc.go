// Package sourcewatch learns of changes of git repositories and starts the runs
// that they ask for. The git host calls a webhook, or the server looks at the
// repository again and again. A call only says where to look: what the repository
// is like is compared with what it was like before, so that calls that come twice,
// late, in another order or not at all start neither too many runs nor too few.
//
// What becomes of a watch, and when it is looked at again, in times of the time
// between two polls:
//
//	state     what happens                       then      again after
//	New       looked at, a webhook is made       Webhook   10
//	          looked at, there can't be one      Polling   1; Problem says why
//	          the look fails                     New       longer each time
//	Webhook   a call about what counts           Webhook   0
//	          a look finds what none told of     Webhook   1; Missed
//	          and no call comes within 30 s      Webhook   1; Problem
//	          a call comes                       Webhook   10; no Missed, no Problem
//	          a look finds less than a call told Webhook   2 s, five times; 10
//	Polling   looked at                          Polling   1
//	          looked at, and Rearm is over       as New
//	Webhook,  a look fails                       the same  longer each time, or as the host says
//	Polling   the triggers are held              the same  10, or when they go on
//	any       its trigger or task goes, or has   Removing  0
//	          another repository or token
//	Removing  the webhook is removed, or can't   gone
//	          be removed, which is said
//	          the host is away                   Removing  longer each time, for a week
//
// Rearm is 5 minutes for a host that was away, a day for one that didn't allow it,
// and never where there can't be a webhook as the server is set up.
package sourcewatch
