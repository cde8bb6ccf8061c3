//go:build !linux

package lab

import (
	"os"
	"testing"
)

func TestLive(t *testing.T) {
	const reason = "the lab is built of Linux network namespaces"
	if os.Getenv("SYNOPTIC_REQUIRE_LAB") == "1" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}
