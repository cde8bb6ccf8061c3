//go:build !libpcap

package capture

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWithoutLibpcap(t *testing.T) {
	require.False(t, HasLibpcap)
	_, err := OpenLibpcapFile("x")
	require.ErrorIs(t, err, ErrNoLibpcap)
	_, err = OpenLibpcapDevice("lo", DeviceConfig{})
	require.ErrorIs(t, err, ErrNoLibpcap)
	require.EqualError(t, err, "this build has no libpcap; build with -tags libpcap")
}
