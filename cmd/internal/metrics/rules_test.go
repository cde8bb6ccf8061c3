package metrics

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
)

// ofProgram are metrics that every program in Go has, and are not in the golden file.
const ofProgram = "process_resident_memory_bytes"

// requireKnown holds the metrics and labels of an expression against those that are told.
func requireKnown(t *testing.T, expr string) {
	t.Helper()
	told, err := os.ReadFile(filepath.Join("testdata", "metrics.txt"))
	require.NoError(t, err)
	names := regexp.MustCompile(`\b(synoptic|process|go)_\w+`).FindAllString(expr, -1)
	require.NotEmpty(t, names, expr)
	for _, name := range names {
		if name != ofProgram {
			require.Regexp(t, `(?m)^`+name+`[ {]`, string(told), expr)
		}
	}
	for _, match := range regexp.MustCompile(`(\w+)\{([^}]*)\}`).FindAllStringSubmatch(expr, -1) {
		for _, label := range regexp.MustCompile(`(\w+)(!?=~?)"([^"]*)"`).FindAllStringSubmatch(match[2], -1) {
			if label[1] == "instance" {
				continue // Prometheus sets it
			}
			value := regexp.QuoteMeta(label[3])
			if label[2] == "=~" {
				value = "(" + label[3] + ")"
			}
			require.Regexp(t, `(?m)^`+match[1]+`\{(.*,)?`+label[1]+`="`+value+`"`, string(told), expr)
		}
	}
}

func TestAlertsAskForWhatIsTold(t *testing.T) {
	text, err := os.ReadFile("../../synoptic/prometheus/alerts.yml")
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	require.NoError(t, yaml.UnmarshalWithOptions(text, &file, yaml.Strict()))
	require.Len(t, file.Groups, 1)
	require.NotEmpty(t, file.Groups[0].Rules)
	for _, r := range file.Groups[0].Rules {
		require.Regexp(t, `^Synoptic\w+$`, r.Alert)
		require.NotEmpty(t, r.Annotations["summary"], r.Alert)
		require.Contains(t, []string{"warning", "critical"}, r.Labels["severity"], r.Alert)
		requireKnown(t, r.Expr)
	}
}

func TestDashboardAsksForWhatIsTold(t *testing.T) {
	text, err := os.ReadFile("../../synoptic/prometheus/dashboard.json")
	require.NoError(t, err)
	var board struct {
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name string }
		}
	}
	require.NoError(t, json.Unmarshal(text, &board))
	require.NotEmpty(t, board.Panels)
	ids := map[int]string{}
	for _, p := range board.Panels {
		require.Empty(t, ids[p.ID])
		ids[p.ID] = p.Title
		require.NotEmpty(t, p.Targets, p.Title)
		for _, target := range p.Targets {
			requireKnown(t, target.Expr)
		}
	}
	require.Len(t, board.Templating.List, 2)
}
