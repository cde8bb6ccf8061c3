package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// label says what a capture holds. A scan is certain if a reader of the packets
// must say so; the others may be named and need not be.
type label struct {
	File  string `json:"file"`
	Grey  bool   `json:"grey"` // not to be told from a scan by its packets
	Scans []struct {
		Src     string   `json:"src"`
		Srcs    []string `json:"srcs"`
		Certain bool     `json:"certain"`
	} `json:"scans"`
}

// count is what came of one set of captures, or of one rule.
type count struct {
	captures, certain, found, wrong, grey, failed int
}

// tally is the counts of a run over labelled captures.
type tally struct {
	sets, rules map[string]*count
	notes       []string
}

func at(m map[string]*count, key string) *count {
	if m[key] == nil {
		m[key] = &count{}
	}
	return m[key]
}

// labelled judges the captures of a directory by its labels.jsonl.
func labelled(w io.Writer, dir string, rules detect.Rules) error {
	labels, err := readLabels(filepath.Join(dir, "labels.jsonl"))
	if err != nil {
		return err
	}
	t := tally{sets: map[string]*count{}, rules: map[string]*count{}}
	for _, l := range labels {
		set := at(t.sets, strings.Split(l.File, "/")[0])
		set.captures++
		scans, err := replay(filepath.Join(dir, l.File), rules)
		if err != nil {
			set.failed++
			t.notes = append(t.notes, fmt.Sprintf("  not read: %s: %v", l.File, err))
			continue
		}
		t.judge(set, l, scans)
	}
	return t.write(w)
}

func readLabels(name string) (labels []label, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for n := 1; lines.Scan(); n++ {
		var l label
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		labels = append(labels, l)
	}
	return labels, lines.Err()
}

// replay gives the closed scans of a capture.
func replay(name string, rules detect.Rules) (scans []detect.Scan, err error) {
	s, err := sensor.New(sensor.Config{Rules: rules, OnScan: func(s detect.Scan) {
		scans = detect.AddClosed(scans, s)
	}})
	if err != nil {
		return nil, err
	}
	src, err := capture.Join([]string{name}, capture.Config{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = src.Close() }()
	_, err = s.Run(context.Background(), src)
	return scans, err
}

// named are the sources that a scan blames: the one, or, as its record has them,
// those of a crowd.
func named(s detect.Scan) (sources []string) {
	for _, src := range s.Srcs {
		sources = append(sources, src.String())
	}
	if s.Src.IsValid() {
		sources = append(sources, s.Src.String())
	}
	return sources
}

// judge holds the scans found in a capture against its label.
func (t *tally) judge(set *count, l label, scans []detect.Scan) {
	by, known := map[string]string{}, map[string]bool{}
	for _, s := range scans {
		for _, src := range named(s) {
			if by[src] == "" {
				by[src] = s.Rule
			}
		}
	}
	for _, want := range l.Scans {
		known[want.Src] = true
		for _, src := range want.Srcs {
			known[src] = true
		}
		if !want.Certain {
			continue
		}
		set.certain++
		if rule := by[want.Src]; rule != "" {
			set.found++
			at(t.rules, rule).found++
		} else {
			t.notes = append(t.notes, fmt.Sprintf("  missed: %s: %s", l.File, want.Src))
		}
	}
	for _, s := range scans {
		switch {
		case slices.ContainsFunc(named(s), func(src string) bool { return known[src] }):
		case l.Grey:
			set.grey++
		default:
			set.wrong++
			at(t.rules, s.Rule).wrong++
			t.notes = append(t.notes, fmt.Sprintf("  wrong: %s: %s", l.File, short(s)))
		}
	}
}

func (t *tally) write(w io.Writer) error {
	sets := newTable("labelled captures", "captures", "certain scans", "found", "wrong", "grey", "not read")
	var all count
	for _, name := range slices.Sorted(maps.Keys(t.sets)) {
		c := t.sets[name]
		sets.row(name, c.captures, c.certain, c.found, c.wrong, c.grey, c.failed)
		all = count{all.captures + c.captures, all.certain + c.certain, all.found + c.found, all.wrong + c.wrong, all.grey + c.grey, all.failed + c.failed}
	}
	sets.row("all", all.captures, all.certain, all.found, all.wrong, all.grey, all.failed)
	if err := sets.write(w, t.notes); err != nil {
		return err
	}
	rules := newTable("opened by", "found", "wrong")
	for _, name := range slices.Sorted(maps.Keys(t.rules)) {
		rules.row(name, t.rules[name].found, t.rules[name].wrong)
	}
	return rules.write(w, nil)
}
