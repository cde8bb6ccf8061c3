// Package config turns what the command line says into a checked plan of a
// run. Everything that can be wrong before a packet is read is found here.
package config

import (
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/scantest/expect"
	"github.com/synoptic-ids/synoptic/flows"
	"github.com/synoptic-ids/synoptic/flows/filter"
)

// DefaultProfile is used where neither a profile nor a rules file is named.
const DefaultProfile = "default"

// Settings are the command line as it was typed. Names of files are relative
// to the working directory; "-" is standard input or output.
type Settings struct {
	Inputs   []string // captures, in the order of reading
	Devices  []string // interfaces to capture from, in place of captures
	SnapLen  int      // bytes of a packet that are captured from them; 0: the default
	Own      bool     // leave them out of promiscuous mode
	XDP      string   // auto, native or generic; empty: none
	Profile  string   // name of a built-in profile
	Rules    string   // rules file, in place of a profile
	Allow    string   // allow-list, beside that of the rules
	Home     string   // comma list of prefixes, in place of the rules' home
	JSON     bool     // short for the output "json"
	Outputs  []string // FORMAT or FORMAT:DEST
	Expect   string   // file of the scans that there must be
	FailOn   string   // least severity that fails the run; empty: none does
	Color    string   // auto, always, never
	Progress string   // auto, always, never

	Filter  string // tcpdump expression; empty: all packets
	Tunnels string // inner, outer, both; empty: inner
	Memory  string // budget for what is remembered; empty: DefaultMemory
	Seed    string // key of the hashes; empty: 0 for captures, drawn when live

	Follow  bool // read on as the last capture grows
	Strict  bool
	Count   uint64 // packets to read; 0: all
	Quiet   bool
	Verbose bool

	Explain *Explain // say why, in place of writing records

	Evidence     string // folder to keep packets of scans in; empty: none are kept
	EvidenceSize string // what its files may take; empty: the default

	MinSeverity string // least severity that is told of; empty: all is
	Heartbeat   string // how often a run without end says how it is doing; empty: defaultHeartbeat

	State      string // file in which what was learned is kept; empty: none
	StateEvery string // how often it is saved; empty: defaultStateEvery

	Listen    string // address to tell metrics on: PORT or HOST:PORT; empty: none
	Profiling bool   // profiles of the program itself beside them

	CPUProfile string
	MemProfile string
	Batch      int // packets a batch; 0: the default
	Inline     bool
}

// Plan is a checked run.
type Plan struct {
	Inputs   []string
	Devices  []string
	SnapLen  int  // 0: the default
	Own      bool // no promiscuous mode
	XDP      XDP
	From     Origin // of Rules, to load them again
	Rules    detect.Rules
	RuleName string // the profile's name, or the rules file's
	Outputs  []Output
	// Expect is what the scans must be; nil: nothing is expected.
	Expect     *expect.List
	ExpectFile string
	FailOn     int // 1 to 5; 0: no scan fails the run
	Color      Mode
	Progress   Mode
	Filter     *filter.Filter // nil: all packets
	Tunnels    flows.Tunnels
	Memory     int64  // bytes
	Seed       uint64 // key of the hashes

	Follow  bool
	Strict  bool
	Count   uint64
	Quiet   bool
	Verbose bool

	Explain *Explain // nil: write records to Outputs

	Evidence     string // folder; empty: no packets are kept
	EvidenceSize int64  // bytes

	Heartbeat time.Duration // 0: none

	State      string        // file; empty: none
	StateEvery time.Duration // how often it is saved
	Seeded     bool          // Seed was given, and is not another's

	Listen    string // HOST:PORT to tell metrics on; empty: none
	Profiling bool

	CPUProfile string
	MemProfile string
	Batch      int
	Inline     bool
}

// Explain says what is to be explained.
type Explain struct {
	Address netip.Addr // not valid: nobody in particular
	All     bool       // every attempt, and everything that is cut short else
	JSON    bool       // as a record
	Sweep   bool       // what other thresholds would find, in place of all that
}

// Check makes a plan of settings. Errors are of type [*exit.Error].
func Check(s Settings) (Plan, error) {
	p := Plan{
		Inputs: s.Inputs, Strict: s.Strict, Count: s.Count, Quiet: s.Quiet, Verbose: s.Verbose,
		CPUProfile: s.CPUProfile, MemProfile: s.MemProfile, Batch: s.Batch, Inline: s.Inline,
		ExpectFile: s.Expect, Devices: s.Devices, SnapLen: s.SnapLen, Own: s.Own, Follow: s.Follow, Explain: s.Explain,
		Profiling: s.Profiling,
	}
	check := checkInputs
	if len(s.Devices) > 0 {
		check = checkDevices
	}
	if err := check(s); err != nil {
		return Plan{}, err
	}
	if s.Batch < 0 || s.Batch > maxBatch {
		return Plan{}, exit.With(exit.Usage, fmt.Errorf("--batch %d is not between 0 and %d", s.Batch, maxBatch))
	}
	var err error
	if p.Memory, err = ParseMemory(s.Memory); err != nil {
		return Plan{}, err
	}
	p.From = Origin{Profile: s.Profile, Rules: s.Rules, Allow: s.Allow, Home: s.Home, Memory: p.Memory}
	if p.Rules, p.RuleName, err = p.From.Load(); err != nil {
		return Plan{}, err
	}
	least, err := severity("--min-severity", s.MinSeverity)
	if err != nil {
		return Plan{}, err
	}
	if p.Outputs, err = outputs(s, least); err != nil {
		return Plan{}, err
	}
	if p.FailOn, err = severity("--fail-on", s.FailOn); err != nil {
		return Plan{}, err
	}
	if p.Heartbeat, err = heartbeat(s.Heartbeat, p.Live()); err != nil {
		return Plan{}, err
	}
	if p.Color, err = mode("--color", s.Color); err != nil {
		return Plan{}, err
	}
	if p.Progress, err = mode("--progress", s.Progress); err != nil {
		return Plan{}, err
	}
	if p.Tunnels, err = tunnels(s.Tunnels); err != nil {
		return Plan{}, err
	}
	if p.Seed, err = seed(s.Seed, p.Live()); err != nil {
		return Plan{}, err
	}
	p.Seeded = s.Seed != ""
	if p.State, p.StateEvery, err = state(s); err != nil {
		return Plan{}, err
	}
	if p.Filter, err = Filter(s.Filter); err != nil {
		return Plan{}, err
	}
	if p.XDP, err = xdp(s, &p); err != nil {
		return Plan{}, err
	}
	if p.Expect, err = loadExpect(s.Expect); err != nil {
		return Plan{}, err
	}
	if p.Listen, err = listen(s); err != nil {
		return Plan{}, err
	}
	if p.Evidence, p.EvidenceSize, err = keep(s); err != nil {
		return Plan{}, err
	}
	return p, nil
}

// maxBatch is the largest batch a sensor takes, in packets.
const maxBatch = 4096

// Live is whether a run ends only when it is told to.
func (p *Plan) Live() bool { return p.Follow || len(p.Devices) > 0 }

// Sources names what is read.
func (p *Plan) Sources() []string {
	if len(p.Devices) > 0 {
		return p.Devices
	}
	return p.Inputs
}

func checkInputs(s Settings) error {
	inputs := s.Inputs
	if s.SnapLen != 0 {
		return exit.With(exit.Usage, fmt.Errorf("--snaplen is for -i"), "of a capture, all is read that was captured")
	}
	if s.Own {
		return exit.With(exit.Usage, fmt.Errorf("--no-promiscuous-mode is for -i"), "a capture has been made already")
	}
	if s.XDP != "" && len(inputs) > 0 {
		return exit.With(exit.Usage, fmt.Errorf("--xdp is for -i"), "a capture has been made already")
	}
	if len(inputs) == 0 {
		return exit.With(exit.Usage, fmt.Errorf("nothing to read"),
			"name a capture with -r FILE, or - for standard input; 'synoptic --help' lists what else there is")
	}
	stdin := 0
	for _, name := range inputs {
		if name == "" {
			return exit.With(exit.Usage, fmt.Errorf("-r needs the name of a capture, not an empty one"))
		}
		if name == "-" {
			stdin++
		}
	}
	if stdin > 1 {
		return exit.With(exit.Usage, fmt.Errorf("standard input is named %d times, and can be read once", stdin))
	}
	if s.Follow && inputs[len(inputs)-1] == "-" {
		return exit.With(exit.Usage, fmt.Errorf("standard input cannot be followed"),
			"it is read until it ends in any case: leave --follow out, or name the file last")
	}
	return nil
}

func loadExpect(name string) (*expect.List, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, exit.With(exit.Usage, fmt.Errorf("reading expectations: %w", err))
	}
	defer func() { _ = f.Close() }()
	list, err := expect.Read(f, name)
	if err != nil {
		return nil, exit.With(exit.Usage, fmt.Errorf("reading expectations: %w", err),
			"each line is a JSON object with fields of a scan record, as --json prints them")
	}
	return list, nil
}
