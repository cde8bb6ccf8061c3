package cases_test

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

// knownFailures are the cases that the line does not yet judge as it should, by
// the name of their test, and why. A case that passes has no place here: it fails
// until its row is taken out.
func knownFailures() map[string]string {
	return map[string]string{}
}

// judge compares for one test, and turns the result round for a known failure.
type judge struct {
	t      *testing.T
	reason string
	wrong  int
}

func judgeOf(t *testing.T) *judge { return &judge{t: t, reason: knownFailures()[t.Name()]} }

func (j *judge) equal(want, got any, msg ...any) {
	j.t.Helper()
	if j.reason == "" {
		require.Equal(j.t, want, got, msg...)
		return
	}
	if !reflect.DeepEqual(want, got) {
		j.wrong++
	}
}

// done ends the comparisons of a test.
func (j *judge) done() {
	j.t.Helper()
	if j.reason == "" {
		return
	}
	require.NotZero(j.t, j.wrong, "it passes now: take %s out of the known failures", j.t.Name())
	j.t.Logf("known failure: %s", j.reason)
}

// TestKnownFailuresAreTests: every known failure is the name of a case.
func TestKnownFailuresAreTests(t *testing.T) {
	names := map[string]bool{"TestDefect12": true} // the one that is no table
	for test, cases := range tables() {
		for _, h := range cases {
			names[test+"/"+underscored(h.name)] = true
		}
	}
	for name := range knownFailures() {
		require.True(t, names[name], "no case is called %s", name)
	}
}

// underscored is a name as the go tool writes it.
func underscored(name string) string {
	b := []byte(name)
	for i := range b {
		if b[i] == ' ' {
			b[i] = '_'
		}
	}
	return string(b)
}
