package capture

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/testdata/netns"
)

// capturing captures in a namespace, and tells what the source has to say of
// devices.
func capturing(t *testing.T, n *netns.Lab, cfg DeviceConfig, devices ...string) (src Source, news func() []string) {
	t.Helper()
	var told []string
	cfg.Notify = func(message string) { told = append(told, message) }
	n.Do(func() (err error) {
		src, err = OpenRing(devices, cfg)
		return err
	})
	t.Cleanup(func() { require.NoError(t, src.Close()) })
	return src, func() []string {
		all := told
		told = nil
		return all
	}
}

// requireWakes closes a source while another goroutine waits in Read, whose error comes as
// result. Stats and Close can be called afterwards as before, and Read says it is closed.
func requireWakes(t *testing.T, src Source, result <-chan error) {
	t.Helper()
	_, err := src.Stats()
	require.NoError(t, err)
	require.NoError(t, src.Close())
	require.ErrorIs(t, <-result, os.ErrClosed)
	require.NoError(t, src.Close())
	_, err = src.Stats()
	require.NoError(t, err)
	_, err = src.Read(make([]Frame, 1))
	require.ErrorIs(t, err, os.ErrClosed)
}
