//go:build !unix

package main

import "github.com/rogpeppe/go-internal/testscript"

func signalAll(ts *testscript.TestScript, _ bool, _ []string) { ts.Fatalf("not on this system") }

func heard() {}
