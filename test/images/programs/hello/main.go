// Hello prints a greeting: the whole of the hello-world test image.
package main

import "os"

func main() {
	if _, err := os.Stdout.WriteString("Hello from Drydock!\n"); err != nil {
		os.Exit(1)
	}
}
