package app

import (
	"fmt"
	"time"

	"github.com/synoptic-ids/synoptic/cmd/internal/config"
	"github.com/synoptic-ids/synoptic/cmd/internal/evidence"
	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/cmd/internal/output"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// leastEvidenceSnapLen is how many bytes of a packet are kept at least, if it has them.
const leastEvidenceSnapLen = 256

// evidenceSnapLen is how many bytes of a packet are kept of a scan.
func evidenceSnapLen(plan *config.Plan) int { return max(leastEvidenceSnapLen, plan.SnapLen) }

// openEvidence opens the folder for packets of scans, if there is one.
func openEvidence(plan *config.Plan, version string, say *Voice) (*evidence.Folder, error) {
	if plan.Evidence == "" {
		return nil, nil
	}
	folder, err := evidence.Open(evidence.Config{
		Dir: plan.Evidence, Bytes: plan.EvidenceSize, SnapLen: min(evidenceSnapLen(plan), sensor.MostSnapLen),
		Application: "synoptic " + version, Warn: say.Warning, Tell: say.Info,
	})
	if err != nil {
		return nil, exit.With(exit.Failed, fmt.Errorf("-w: %w", err), "name a folder that you may write to; it is made if it is not there")
	}
	return folder, nil
}

// evidenceTick is how long packets of a run without end wait at most until they are written.
const evidenceTick = 2 * time.Second

// flushEvidence has packets of scans written every so often, where the run goes on, until stop
// is called. Where it ends by itself they are written as they come.
func (a *App) flushEvidence() (stop func()) {
	if a.kept == nil || !a.plan.Live() {
		return func() {}
	}
	return every(evidenceTick, a.kept.Flush)
}

// unkept warns of packets of scans that could not be written, if there are any.
func (a *App) unkept() bool {
	if a.kept == nil {
		return false
	}
	lost := a.kept.Stats().Lost
	if lost > 0 {
		a.say.Warning(fmt.Sprintf("%d packets of scans could not be kept in %s", lost, a.plan.Evidence))
	}
	return lost > 0
}

// evidenceOf is what the account of a run says of the packets of scans.
func evidenceOf(picked *sensor.EvidenceStats, written evidence.Stats) *output.Evidence {
	return &output.Evidence{
		Scans: picked.Begun, Unkept: picked.Unkept, Packets: written.Packets, LeftOut: picked.Left, Lost: written.Lost,
		Files: written.Files, Bytes: written.Bytes, Removed: written.Removed,
	}
}
