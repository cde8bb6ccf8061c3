package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// capture is one file: how it is stored and what happens in it.
type capture struct {
	name string
	format
	play func(*site)
}

// captures are all that are committed.
func captures() []capture {
	return append(append(scanCaptures(), ordinaryCaptures()...), dayCapture())
}

// take lets the capture happen.
func (c capture) take() ([]frame, labelled) {
	s := newSite(c.name)
	c.play(s)
	frames := s.finish()
	return frames, labelled{File: c.format.name(c.name), Packets: len(frames), Scans: append([]label{}, s.labels...)}
}

// writeCaptures writes every committed capture and labels.jsonl to dir.
func writeCaptures(dir string) error {
	var labels bytes.Buffer
	enc := json.NewEncoder(&labels)
	for _, c := range captures() {
		frames, l := c.take()
		b, err := c.encode(frames)
		if err != nil {
			return fmt.Errorf("encode %s: %w", l.File, err)
		}
		if err := os.WriteFile(filepath.Join(dir, l.File), b, 0o644); err != nil {
			return fmt.Errorf("write %s: %w", l.File, err)
		}
		if err := enc.Encode(l); err != nil {
			return fmt.Errorf("label %s: %w", l.File, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "labels.jsonl"), labels.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write labels.jsonl: %w", err)
	}
	return nil
}
