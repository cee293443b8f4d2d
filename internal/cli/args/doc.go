// Package args turns command lines as the Azure CLI takes them into ones that
// pflag takes: long flags by any unique prefix, flags with several values, flags
// whose value may be left out, and values that are read from files.
package args
