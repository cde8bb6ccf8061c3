//go:build !linux

package main

import "github.com/rogpeppe/go-internal/testscript"

func status(ts *testscript.TestScript, _ bool, _ []string) { ts.Fatalf("not on this system") }

func landlocked() bool { return false }
