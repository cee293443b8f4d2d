// Package script_test runs the scripts of testdata against drydockd and drydock as
// users have them: the programs, real containers and registries. A script is an archive
// (see github.com/rogpeppe/go-internal/testscript) whose first part holds
// commands and whose files are laid out in its folder.
//
// Each script has a data folder and a registry of its own, and base images in a
// registry that all scripts share and that stands for docker.io and
// mcr.microsoft.com. At its end no mount, process, control group or file is left
// of its data folder.
//
// Scripts whose names begin with "server" are stories of `drydockd serve` and
// its client. Most of them share a server, on which each has a group and a
// registry of its own.
//
// Variables:
//
//	REGISTRY  the script's registry
//	HUB       the registry of base images
//	EXAMPLES  the folder of the examples
//	WEB       URL of a server of the folder www; git repositories in git are at $WEB/git
//
// After "serve" and "shared" also:
//
//	ENDPOINT TENANT ID SECRET  what `drydock login` needs
//	PORT             of the server
//	SUFFIX           of its registries, with the port
//	DRYDOCK_CA_FILE  its certificate authority
//
// and after "shared":
//
//	GROUP ACR LOGIN  the script's group, registry and login server
//
// Commands, beside those of testscript:
//
//	[!] drydockd ARG...       run the program, with the flags for data folder and mirrors
//	[!] drydock ARG...        run the client, also as az
//	serve [FLAG...]           start drydockd serve, or start it again; what it prints is stdout
//	stop                      ask that server to end, and wait
//	shared                    be signed in to the shared server
//	attach REFERENCE TYPE TEXT  push an artifact of a media type to the server, as a referrer of an image
//	status N                  the last drydockd or drydock ended with this status
//	interrupt TEXT ARG...     run drydockd, send SIGINT when it has printed TEXT; it ends within 5 s
//	fresh                     go on with an empty data folder
//	repositories HOST         print the repositories of a registry
//	tags HOST/REPOSITORY      print the tags of a repository
//	digest REFERENCE          print the digest of an image
//	same REFERENCE REFERENCE  the two have the same manifest, byte for byte
//	sends N                   N blobs, or some, were uploaded to $REGISTRY since the last time
//	registry NAME [USER PASSWORD]  start another registry; $NAME is its host
//	outside NAME [USER PASSWORD]   as registry, on an address that steps reach
//	repository DIR            make DIR a git repository with a commit of all files
//	tarball DIR FILE          pack DIR as .tar.gz
//	push IMAGE REFERENCE      push a test image
//	[!] hidden SECRET...      none is in an output of drydockd or in the data folder
//	lines STREAM PATTERN...   lines that match come in this order
package script_test
