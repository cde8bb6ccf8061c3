package netns

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// Required is whether tests that cannot make namespaces are to fail, not to be
// skipped.
func Required() bool { return os.Getenv("SYNOPTIC_REQUIRE_LAB") == "1" }

// Lab is a namespace for a test, which fails when something in it does.
type Lab struct {
	*NS
	t testing.TB
}

// ForTest makes a namespace whose system sends nothing of its own accord, and
// skips the test where that is not allowed.
func ForTest(t testing.TB) *Lab {
	t.Helper()
	n, err := New(t.Name())
	if err == nil {
		err = n.IP(t.Context(), "", "link set lo up") // that there is ip(8), too
	}
	if err != nil && !Required() {
		t.Skip("a network to capture in needs root on Linux, and ip(8): ", err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { _ = n.Close() })
	if _, err := os.Stat("/proc/sys/net/ipv6"); err == nil {
		require.NoError(t, n.Sysctl(map[string]string{"ipv6/conf/default/disable_ipv6": "1"}))
	}
	return &Lab{n, t}
}

// Do runs f in the namespace; the test fails if f does.
func (l *Lab) Do(f func() error) {
	l.t.Helper()
	require.NoError(l.t, l.NS.Do(f))
}

// IP gives lines to ip(8).
func (l *Lab) IP(lines ...string) {
	l.t.Helper()
	require.NoError(l.t, l.NS.IP(context.Background(), "", lines...))
}

// Cable makes two interfaces, see [NS.Cable].
func (l *Lab) Cable(a, b string) {
	l.t.Helper()
	require.NoError(l.t, l.NS.Cable(context.Background(), a, b))
}

// Carries waits until interfaces have a carrier.
func (l *Lab) Carries(devices ...string) {
	l.t.Helper()
	require.NoError(l.t, l.NS.Carries(context.Background(), devices...))
}

// Sender makes a function that sends frames on an interface as they are.
func (l *Lab) Sender(device string) (send func(frame []byte)) {
	l.t.Helper()
	s, err := l.NS.Sender(device)
	require.NoError(l.t, err)
	l.t.Cleanup(func() { _ = s.Close() })
	return func(frame []byte) {
		l.t.Helper()
		require.NoError(l.t, s.Send(frame))
	}
}
