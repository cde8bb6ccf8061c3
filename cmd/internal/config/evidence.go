package config

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/synoptic-ids/synoptic/cmd/internal/evidence"
	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
)

// leastEvidence is the least that the files of scans may take together, in bytes: a few large ones.
const leastEvidence = 16 << 20

// keep reads where packets of scans are kept, and what they may take there.
func keep(s Settings) (dir string, bytes int64, err error) {
	if s.Evidence == "" {
		if s.EvidenceSize != "" {
			return "", 0, exit.With(exit.Usage, fmt.Errorf("--evidence-size needs -w"), "-w DIR says where packets of scans are kept")
		}
		return "", 0, nil
	}
	bytes = evidence.DefaultBytes
	if s.EvidenceSize != "" {
		if bytes, err = size(s.EvidenceSize); err != nil {
			return "", 0, exit.With(exit.Usage, fmt.Errorf("--evidence-size %w", err), "write a size as 500MiB, 2GiB, or in bytes")
		}
		if bytes < leastEvidence {
			return "", 0, exit.With(exit.Usage, fmt.Errorf("--evidence-size %s is too little: the least is %s", s.EvidenceSize, SizeText(leastEvidence)))
		}
	}
	if info, err := os.Stat(s.Evidence); err == nil && !info.IsDir() {
		return "", 0, exit.With(exit.Usage, fmt.Errorf("-w %s: it is a file", s.Evidence), "name a folder: each scan gets a file of its own there")
	}
	for _, in := range s.Inputs {
		if inside(in, s.Evidence) {
			return "", 0, exit.With(exit.Usage, fmt.Errorf("-w %s: writing there would add to what is read, or replace it", s.Evidence), "name another folder")
		}
	}
	return s.Evidence, bytes, nil
}

// inside reports whether an input is a folder, or a file in one that may get the name of a scan's.
func inside(input, dir string) bool {
	if evidence.Named(filepath.Base(input)) {
		input = filepath.Dir(input)
	}
	in, err := os.Stat(input)
	if err != nil {
		return false
	}
	out, err := os.Stat(dir)
	return err == nil && os.SameFile(in, out)
}
