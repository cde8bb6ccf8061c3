package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/synoptic-ids/synoptic/capture"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"synoptic": func() { os.Exit(run()) }, "heard": heard})
}

func TestScripts(t *testing.T) {
	captures, err := filepath.Abs("../../testdata/captures")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("CAPTURES", captures)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"run": runCode, "gzip": compress, "cut": cutFile, "jsonl": jsonLines, "tunnel": tunnel, "scans": scanLines,
			"append": appendFile, "await": await, "shift": shift, "weave": weave, "drops": drops,
			"signal": signalAll, "hangup": hangUp, "ask": ask, "status": status,
		},
		Condition:           condition,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// runCode is: run CODE PROGRAM ARG... It fails unless the program exits with
// that code.
func runCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: run CODE PROGRAM [ARG...]")
	}
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exited *exec.ExitError
		if !errors.As(err, &exited) {
			ts.Fatalf("%v", err)
		}
		code = exited.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, not %s", code, args[0])
	}
}

// compress is: gzip FROM TO.
func compress(ts *testscript.TestScript, _ bool, args []string) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b.Bytes(), 0o600))
}

// cutFile is: cut FROM TO BYTES. It leaves out so many bytes at the end.
func cutFile(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	data := []byte(ts.ReadFile(args[0]))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data[:len(data)-n], 0o600))
}

// scanLines is: scans FROM TO. It copies the lines that are records of scans.
func scanLines(ts *testscript.TestScript, _ bool, args []string) {
	var scans []byte
	for line := range bytes.Lines([]byte(ts.ReadFile(args[0]))) {
		if bytes.HasPrefix(line, []byte(`{"event":"scan"`)) {
			scans = append(scans, line...)
		}
	}
	if len(scans) == 0 {
		ts.Fatalf("no scans in %s", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), scans, 0o600))
}

// jsonLines is: jsonl FILE. It checks that each line of a file, or stdout, is a
// JSON object, and that there is one.
func jsonLines(ts *testscript.TestScript, _ bool, args []string) {
	n := 0
	for line := range bytes.Lines([]byte(ts.ReadFile(args[0]))) {
		var object map[string]any
		n++
		if err := json.Unmarshal(line, &object); err != nil {
			ts.Fatalf("%s:%d: %v", args[0], n, err)
		}
	}
	if n == 0 {
		ts.Fatalf("%s is empty", args[0])
	}
}

// condition knows [devfull]: there is a device that is always full; and
// [libpcap]: it was built in; and [landlock]: the system can keep files from a process.
func condition(name string) (bool, error) {
	switch name {
	case "devfull":
		_, err := os.Stat("/dev/full")
		return err == nil, nil
	case "landlock":
		return landlocked(), nil
	case "libpcap":
		return capture.HasLibpcap, nil
	default:
		return false, fmt.Errorf("unknown condition %q", name)
	}
}
