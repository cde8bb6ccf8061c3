package capture

import (
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
