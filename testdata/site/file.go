package site

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/testdata/wire"
)

// Write writes a day, or a part of one, to a directory: site.pcap, and
// site.jsonl with the scanners in it.
func Write(dir string, cfg Config) (err error) {
	f, err := os.Create(filepath.Join(dir, "site.pcap"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	out := bufio.NewWriterSize(f, 1<<20)
	day := New(cfg)
	if err := copyPcap(out, day); err != nil {
		return fmt.Errorf("write %s: %w", f.Name(), err)
	}
	labels, err := os.Create(filepath.Join(dir, "site.jsonl"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, labels.Close()) }()
	enc := json.NewEncoder(labels)
	for _, s := range day.Scanners() {
		if err := enc.Encode(s); err != nil {
			return fmt.Errorf("write %s: %w", labels.Name(), err)
		}
	}
	return out.Flush()
}

// copyPcap writes what src yields as pcap with nanoseconds.
func copyPcap(w io.Writer, src capture.Source) error {
	format := wire.Pcap{Nanos: true}
	b := format.Begin(nil, 65535, 1)
	frames := make([]capture.Frame, 256)
	for {
		if _, err := w.Write(b); err != nil {
			return err
		}
		n, err := src.Read(frames)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		b = b[:0]
		for _, f := range frames[:n] {
			b = append(format.Record(b, f.Time, len(f.Data), int(f.Len)), f.Data...)
		}
	}
}
