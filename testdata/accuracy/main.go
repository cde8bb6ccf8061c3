// Command accuracy prints how often the default profile is right and wrong: on
// days of the made-up site, by hours in which a source was active; on a
// directory of labelled captures, by rule; and on both again with thresholds of
// seven instead of ten, which shows what is left before it errs.
//
//	go run ./testdata/accuracy [-days 3] [-corpus DIR]
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/testdata/site"
)

func main() {
	days := flag.Int("days", 3, "days of the made-up site")
	corpus := flag.String("corpus", "", "directory of labelled captures, with labels.jsonl")
	flag.Parse()
	if err := run(os.Stdout, *days, *corpus); err != nil {
		fmt.Fprintf(os.Stderr, "accuracy: error: %v\n", err)
		os.Exit(1)
	}
}

func run(w io.Writer, days int, corpus string) error {
	rules, err := detect.Profile("default")
	if err != nil {
		return err
	}
	for _, r := range []struct {
		title string
		rules detect.Rules
	}{{"As shipped", rules}, {"Thresholds of 7 instead of 10", lowered(rules)}} {
		if _, err := fmt.Fprintf(w, "%s\n\n", r.title); err != nil {
			return err
		}
		if err := siteDays(w, days, r.rules); err != nil {
			return err
		}
		if corpus == "" {
			continue
		}
		if err := labelled(w, corpus, r.rules); err != nil {
			return err
		}
	}
	return nil
}

// lowered are rules with each threshold of ten brought down to seven.
func lowered(rules detect.Rules) detect.Rules {
	all := append([]detect.Rule(nil), rules.Rules...)
	for i := range all {
		if all[i].Over == 9 {
			all[i].Over = 6
		}
	}
	rules.Rules = all
	return rules
}

// siteDays judges whole days of the site.
func siteDays(w io.Writer, days int, rules detect.Rules) error {
	t := newTable("day of the site", "packets", "source-hours", "scanners", "named", "false scans")
	hours, wrong := 0, 0
	var said []string
	for seed := range days {
		r, err := site.Run(site.Config{Seed: uint64(seed)}, rules)
		if err != nil {
			return fmt.Errorf("day %d of the site: %w", seed, err)
		}
		bad := r.Wrong()
		t.row(seed, r.Summary.Capture.Packets, r.SourceHours, len(r.Scanners), len(r.Scanners)-len(r.Missed()), len(bad))
		hours, wrong = hours+r.SourceHours, wrong+len(bad)
		for _, s := range bad {
			said = append(said, fmt.Sprintf("  wrong, day %d: %s", seed, short(s)))
		}
		for _, m := range r.Missed() {
			said = append(said, fmt.Sprintf("  missed, day %d: %s %v", seed, m.Name, m.Src))
		}
	}
	if err := t.write(w, said); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "False scans per 100,000 source-hours: %.1f\n\n", float64(wrong)*100_000/float64(max(1, hours)))
	return err
}

// short is a scan on one line.
func short(s detect.Scan) string {
	return fmt.Sprintf("%v %s: %s %s, %d hosts, %d ports, %s", s.Src, s.Rule, s.Shape, s.Technique, s.Hosts, s.Ports, s.First)
}
