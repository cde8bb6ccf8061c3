package main

import (
	"context"
	"errors"
	"os"
	"runtime/pprof"
	"strings"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// mixTurns is how often a mix is run for each time that scan-heavy is: it costs a
// tenth, and is what the program sees all day.
const mixTurns = 8

// profile writes a profile of the whole line on the inputs to a file, by which the
// compiler decides what to inline.
func (b *bench) profile(name string) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	for range b.rounds {
		for _, input := range inputs {
			turns := mixTurns
			if !strings.HasPrefix(input, "mix") {
				turns = 1
			}
			for range turns {
				if err := sense(b.path(input)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// sense runs the line on a file as the program does, with the default rules.
func sense(file string) (err error) {
	src, err := capture.Open(file, capture.Config{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	s, err := sensor.New(sensor.Config{})
	if err != nil {
		return err
	}
	_, err = s.Run(context.Background(), src)
	return err
}
