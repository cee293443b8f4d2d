package notify

// Public is public.
var Public = public
