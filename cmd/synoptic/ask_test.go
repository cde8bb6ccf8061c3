package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// ask is: ask SAID PATH TO. It asks for PATH where a program says, in the file SAID, that it
// listens, and writes the status and the answer to TO.
func ask(ts *testscript.TestScript, _ bool, args []string) {
	const told = `http://[^/\s]+`
	await(ts, false, []string{args[0], told})
	base := regexp.MustCompile(told).FindString(ts.ReadFile(args[0]))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+args[1], http.NoBody)
	ts.Check(err)
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	ts.Check(resp.Body.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), fmt.Appendf(nil, "%d\n%s", resp.StatusCode, body), 0o600))
}
