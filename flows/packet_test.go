package flows

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func TestPacketSize(t *testing.T) {
	require.EqualValues(t, 128, unsafe.Sizeof(Packet{}))
	require.EqualValues(t, 36, unsafe.Sizeof(Key{}))
	require.EqualValues(t, 128, unsafe.Sizeof(entry{}))
}
