package sensor_test

import (
	"context"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// allowed reads a capture with an allow-list and the default profile.
func allowed(t *testing.T, file string, list ...detect.Allowance) (scans []detect.Scan) {
	t.Helper()
	s, err := sensor.New(sensor.Config{
		Rules:  detect.Rules{Allow: list},
		OnScan: func(s detect.Scan) { scans = append(scans, s) },
	})
	require.NoError(t, err)
	source, err := capture.Open(file, capture.Config{})
	require.NoError(t, err)
	defer source.Close()
	_, err = s.Run(context.Background(), source)
	require.NoError(t, err)
	return scans
}

func prefixes(list ...string) (out []netip.Prefix) {
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// TestAllowWithoutRules: an allow-list without rules goes with the default profile.
func TestAllowWithoutRules(t *testing.T) {
	scans := allowed(t, "../../testdata/captures/syn-vertical.pcap", detect.Allowance{
		Name: "pentest", Note: "J. Doe", Src: prefixes("203.0.113.250/32"),
	})
	require.NotEmpty(t, scans)
	last := scans[len(scans)-1]
	require.Equal(t, detect.Close, last.Phase)
	require.Equal(t, []detect.Authorization{{Name: "pentest", Note: "J. Doe"}}, last.Authorized)
}

// TestAllowingChangesNoCapture: on every capture the records are those without a list, but
// for what is said of the list, whether it covers all, some or nothing.
func TestAllowingChangesNoCapture(t *testing.T) {
	files, err := filepath.Glob("../../testdata/captures/*.pcap*")
	require.NoError(t, err)
	everybody := prefixes("0.0.0.0/0", "::/0")
	marked, beyond := 0, 0
	for _, file := range files {
		want := allowed(t, file)
		for _, a := range []detect.Allowance{
			{Name: "all", Src: everybody},
			{Name: "some", Src: everybody, Port: []detect.PortRange{{From: 0, To: 100}}, Proto: []string{"tcp", "icmp"}},
			{Name: "none", Src: everybody, Expires: 1},
		} {
			var got []detect.Scan
			for i, s := range allowed(t, file, a) {
				switch {
				case s.Authorized != nil:
					marked++
					require.Nil(t, s.Outside)
					require.Zero(t, s.Risk)
					require.NotEqual(t, "none", a.Name)
				case s.Outside != nil:
					beyond++
					require.NotEqual(t, "all", a.Name)
				default:
					t.Fatalf("%s: record %d says nothing of the list", file, i)
				}
				if slices.Equal(s.Added, []string{"authorization"}) {
					continue
				}
				if s.Added = slices.DeleteFunc(s.Added, func(what string) bool { return what == "authorization" }); len(s.Added) == 0 {
					s.Added = nil
				}
				s.Authorized, s.Outside, s.Risk = nil, nil, 0
				got = append(got, s)
			}
			for i := range want {
				want[i].Risk = 0
			}
			require.Equal(t, want, got, "%s: %s", file, a.Name)
		}
	}
	require.NotZero(t, marked)
	require.NotZero(t, beyond)
}
