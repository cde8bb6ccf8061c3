package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// ask is: ask SAID PATH TO [PATTERN]. It asks for PATH where a program says, in the file SAID,
// that it listens, and writes the status and the answer to TO. With a pattern it asks until a
// line is like that: counters are told between two batches, so that they may come after what
// is written.
func ask(ts *testscript.TestScript, _ bool, args []string) {
	const told = `http://[^/\s]+`
	await(ts, false, []string{args[0], told})
	url := regexp.MustCompile(told).FindString(ts.ReadFile(args[0])) + args[1]
	if len(args) == 3 {
		answer, err := get(url)
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(args[2]), answer, 0o600))
		return
	}
	pattern := regexp.MustCompile("(?m)" + args[3])
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		answer, err := get(url)
		ts.Check(err)
		if pattern.Match(answer) {
			ts.Check(os.WriteFile(ts.MkAbs(args[2]), answer, 0o600))
			return
		}
	}
	ts.Fatalf("%s has no line like %s", args[1], args[3])
}

// get is the status and the body of an answer.
func get(url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	return fmt.Appendf(nil, "%d\n%s", resp.StatusCode, body), errors.Join(err, resp.Body.Close())
}
