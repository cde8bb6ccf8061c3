package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// table is columns of text, the first to the left.
type table struct {
	lines []string
}

func newTable(heads ...string) *table {
	return &table{lines: []string{strings.Join(heads, "\t")}}
}

func (t *table) row(cells ...any) {
	text := make([]string, 0, len(cells))
	for _, c := range cells {
		text = append(text, fmt.Sprint(c))
	}
	t.lines = append(t.lines, strings.Join(text, "\t"))
}

// write prints the table, and notes below it.
func (t *table) write(w io.Writer, notes []string) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, l := range t.lines {
		if _, err := fmt.Fprintln(tw, l); err != nil {
			return err
		}
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, strings.Join(append(notes, ""), "\n"))
	return err
}
