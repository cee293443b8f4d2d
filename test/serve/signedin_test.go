package serve_test

import "github.com/drydockhq/drydock/test/serve"

const clientDomain = serve.LocalDomain
