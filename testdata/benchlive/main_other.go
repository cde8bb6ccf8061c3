//go:build !linux

// Command benchlive measures what capturing costs. It needs the network namespaces
// of Linux.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "benchlive: error: it needs Linux")
	os.Exit(1)
}
