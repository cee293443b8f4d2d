// Package script_test runs the scripts of testdata against drydockd as users
// have it: the program, real containers and registries. A script is an archive
// (see github.com/rogpeppe/go-internal/testscript) whose first part holds
// commands and whose files are laid out in its folder.
//
// Each script has a data folder and a registry of its own, and base images in a
// registry that all scripts share and that stands for docker.io and
// mcr.microsoft.com. At its end no mount, process, control group or file is left
// of its data folder.
//
// Variables:
//
//	REGISTRY  the script's registry
//	HUB       the registry of base images
//	EXAMPLES  the folder of the examples
//	WEB       URL of a server of the folder www; git repositories in git are at $WEB/git
//
// Commands, beside those of testscript:
//
//	[!] drydockd ARG...       run the program, with the flags for data folder and mirrors
//	status N                  the last drydockd ended with this status
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
