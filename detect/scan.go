package detect

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"slices"
	"time"
)

// Phase is where in its life a scan is when a record of it is made.
type Phase string

// The phases.
const (
	Open   Phase = "open"   // a rule fired
	Update Phase = "update" // it grew or changed: see Scan.Added
	Close  Phase = "close"  // it fell silent, or the input ended
	Reopen Phase = "reopen" // it is engaged since it closed
)

// Shape says how the targets of a scan lie. It is derived from them and
// triggers nothing.
type Shape string

// The shapes.
const (
	Vertical   Shape = "vertical"   // ports of a host
	Horizontal Shape = "horizontal" // hosts on a port
	Block      Shape = "block"      // ports of hosts
	Protocol   Shape = "protocol"   // IP protocols of a host
	// Distributed: many sources have divided the targets among them. Of its parts the
	// shape is as they lie.
	Distributed Shape = "distributed"
)

// Verdict says what the scanner got, in words that promise no more than was
// seen.
type Verdict string

// The verdicts, from the least to the most.
const (
	Unanswered Verdict = "unanswered" // nothing came back
	Prohibited Verdict = "prohibited" // ICMP said it is administratively prohibited, nothing else came back
	Refused    Verdict = "refused"    // reachable, nothing open
	Ambiguous  Verdict = "ambiguous"  // silence where silence may mean open: UDP, FIN, NULL, Xmas, Maimon
	Answered   Verdict = "answered"   // something answered: see Scan.Answered
	Probed     Verdict = "probed"     // what answered was spoken with, under ten seconds and 4 KiB a connection
	Engaged    Verdict = "engaged"    // more was said than that, or a scanned host called back: see Scan.Engaged
	Unknown    Verdict = "unknown"    // the capture does not see replies
)

// Direction says which side of home a scan comes from and goes to.
type Direction string

// The directions.
const (
	Inbound  Direction = "inbound"
	Outbound Direction = "outbound"
	Internal Direction = "internal"
	External Direction = "external" // neither side is home
)

// Scan is a record of one incident: one source, or many that are taken for one, from the
// first attempt that counted until it fell silent. Its JSON form is the canonical record from
// which every other format is made. Counts are exact unless Estimated is set.
type Scan struct {
	Event       string `json:"event"` // always "scan"
	Phase       Phase  `json:"phase"`
	ID          string `json:"id"`          // the same for the same scan in the same capture, always
	Correlation string `json:"correlation"` // the same for one source and day on every sensor
	Time        Time   `json:"time"`        // when this record became due, by the packets' clock
	// Src is the scanner. Of a scan by many sources it is the zero Addr, and null in JSON.
	Src netip.Addr `json:"src"`
	// Srcs are these sources in order, the first 1,024 that were seen, and Sources is how
	// many there are.
	Srcs    []netip.Addr `json:"srcs,omitempty"`
	Sources int          `json:"sources,omitempty"`
	// Likely is, of decoys, the one that acts on answers, where there is exactly one. It can
	// be wrong: a scanner's firewall may keep it from resetting what a decoy resets.
	Likely *netip.Addr `json:"likely,omitempty"`

	Shape      Shape    `json:"shape"`            // of the largest part
	Sparse     bool     `json:"sparse,omitempty"` // targets are under a quarter of hosts × ports
	Technique  string   `json:"technique"`        // of the largest part
	Techniques []string `json:"techniques"`
	Proto      string   `json:"proto"`
	Rule       string   `json:"rule"` // the one that opened it
	Rules      []Fired  `json:"rules"`
	Parts      []Part   `json:"parts,omitempty"` // where there is more than one

	Dst        *netip.Addr `json:"dst"` // the one host, or null
	Hosts      int         `json:"hosts"`
	HostRanges []string    `json:"host_ranges,omitempty"` // "198.51.100.0/24: 254 of 256"
	Port       *uint16     `json:"port"`                  // the one port, or null
	Ports      int         `json:"ports"`
	PortRanges string      `json:"port_ranges,omitempty"` // "21-25,80,443"

	Targets   int     `json:"targets"`  // distinct (host, protocol, port)
	Attempts  uint64  `json:"attempts"` // connections tried on them
	Packets   uint64  `json:"packets"`  // first packets, retransmissions included
	Rate      float64 `json:"rate"`     // targets a second, from First to Last
	Estimated bool    `json:"estimated,omitempty"`

	First         Time     `json:"first"`
	Last          Time     `json:"last"`
	DetectedAfter Detected `json:"detected_after"`
	Cut           int      `json:"cut,omitempty"` // attempts that the end of the input, or want of room, left undecided

	Outcomes      Outcomes   `json:"outcomes"` // targets by outcome
	Answered      []Endpoint `json:"answered,omitempty"`
	AnsweredTotal int        `json:"answered_total,omitempty"` // where Answered is cut short
	// AnswersAll are hosts that answer whatever is tried, as SYN cookies, tarpits
	// and proxies do. They are left out of Answered.
	AnswersAll []netip.Addr `json:"answers_all,omitempty"`

	// AbusedBy are the clients that told Src, an FTP server, to connect to the targets, or
	// to three of them at least: a bounce. They are the scanners, and Src is not to blame.
	AbusedBy []netip.Addr `json:"abused_by,omitempty"`
	// Engaged are the first 64 conversations beyond probing, by pair of hosts and port.
	Engaged []Engagement `json:"engaged,omitempty"`

	Verdict  Verdict `json:"verdict"`
	Severity int     `json:"severity"` // 1 to 5
	// Confidence is how sure it is that this is a scan, 0 to 1, with what made it
	// more or less so.
	Confidence float64   `json:"confidence"`
	Reasons    []string  `json:"confidence_reasons,omitempty"`
	Risk       int       `json:"risk"` // 0 to 100: severity times confidence; 0 if authorized
	Direction  Direction `json:"direction"`
	Attack     []string  `json:"attack,omitempty"` // ATT&CK technique ids
	Tool       *Tool     `json:"tool,omitempty"`   // where the probes bear the mark of one
	Evidence   Evidence  `json:"evidence"`
	VLAN       uint16    `json:"vlan,omitempty"`
	// Authorized are the entries of the allow-list under which the scan was made,
	// where they cover all of it, as far as its attempts are remembered. Where one
	// names the source and they do not, Outside says why not.
	Authorized []Authorization `json:"authorized,omitempty"`
	Outside    *Outside        `json:"outside_authorization,omitempty"`
	Added      []string        `json:"added,omitempty"` // what an update is about
	// MergedInto is, at the close of a scan that turned out to be part of one by many sources,
	// the ID of that.
	MergedInto string `json:"merged_into,omitempty"`
	// EvidenceFile is the name of the file in which packets of the scan are kept. Whoever keeps
	// them sets it.
	EvidenceFile string `json:"evidence_file,omitempty"`
}

// MarshalJSON implements json.Marshaler: the fields in their order, and src null where many
// sources have it.
func (s Scan) MarshalJSON() ([]byte, error) {
	type plain Scan
	b, err := json.Marshal(plain(s))
	if err == nil && !s.Src.IsValid() {
		// Inside a text there is no quote without a backslash before it.
		b = bytes.Replace(b, []byte(`"src":""`), []byte(`"src":null`), 1)
	}
	return b, err
}

// AddClosed adds a record to a list of closed scans, and leaves out those of other
// phases and those merged into another. One that closes again after it was reopened takes the place of its earlier
// record.
func AddClosed(list []Scan, s Scan) []Scan {
	if s.Phase != Close || s.MergedInto != "" {
		return list
	}
	if s.Verdict == Engaged { // else it has closed once
		if i := slices.IndexFunc(list, func(o Scan) bool { return o.ID == s.ID }); i >= 0 {
			list[i] = s
			return list
		}
	}
	return append(list, s)
}

// Tool is a scanning tool that the source's probes since its last scan bear the mark
// of, told from their headers; see package marks. Marks can be forged.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Matched int    `json:"matched"` // probes that match
	Of      int    `json:"of"`      // probes that were looked at
}

// Part is what one scan did with one technique.
type Part struct {
	Technique string   `json:"technique"`
	Proto     string   `json:"proto"`
	Shape     Shape    `json:"shape"`
	Hosts     int      `json:"hosts"`
	Ports     int      `json:"ports"`
	Targets   int      `json:"targets"`
	Attempts  uint64   `json:"attempts"`
	First     Time     `json:"first"`
	Last      Time     `json:"last"`
	Outcomes  Outcomes `json:"outcomes"`
}

// Fired says that a rule fired, when, and at what value. For tumbling windows there
// is one for each window, with the value that the window reached. Once a scan has 256 targets, no
// further rule with a sliding window is held against it.
type Fired struct {
	Rule  string `json:"rule"`
	Time  Time   `json:"time"`
	Value int    `json:"value"`
}

// Detected says what it took to notice a scan.
type Detected struct {
	Targets int     `json:"targets"` // rank, by start, of the attempt that crossed the threshold, but no less than the count it crossed with
	Seconds float64 `json:"seconds"` // from the first attempt to the record
}

// Outcomes counts targets by their outcome. A target tried by two techniques is
// counted in each.
type Outcomes struct {
	Silent      int `json:"silent"`
	Unreachable int `json:"unreachable"`
	Refused     int `json:"refused"`
	Answered    int `json:"answered"`
	Productive  int `json:"productive"`
	Unseen      int `json:"unseen"`
}

// Endpoint is a host, and a port where the technique has ports.
type Endpoint struct {
	Host  netip.Addr `json:"host"`
	Port  uint16     `json:"port,omitempty"`
	Proto string     `json:"proto"`
}

// Evidence is what made the rule fire that opened the scan.
type Evidence struct {
	Count     string `json:"count"`
	Value     int    `json:"value"`
	Threshold int    `json:"threshold"` // the rule's over: it fires above
	Window    string `json:"window"`
	Crafted   int    `json:"crafted"` // targets whose probes no ordinary stack sends
	// Before is about how many targets the source had tried when there was no room for it
	// yet. They are in no count.
	Before int `json:"before,omitempty"`
	// Baseline is what the hour was compared with, where the rule asks for that.
	Baseline *Baseline `json:"baseline,omitempty"`
	// Division is what showed that the sources have divided the targets, where they did.
	Division *Division `json:"division,omitempty"`
}

// Division is how the sources of a scan were to each other as it opened.
type Division struct {
	Sources  int     `json:"sources"`
	Shared   int     `json:"shared"`   // how many of them tried what another did
	Expected float64 `json:"expected"` // how many would have, by chance
}

// Baseline is what earlier hours were like.
type Baseline struct {
	Hours     int     `json:"n"`
	Mean      float64 `json:"mean"`
	SD        float64 `json:"sd"`
	Threshold float64 `json:"threshold"` // which the hour exceeded
	Level     string  `json:"level"`     // whose hours: pair, source, destination or site
}

// Time is nanoseconds since 1970. It is written as RFC 3339 in UTC with nine
// digits of the second.
type Time int64

const timeFormat = "2006-01-02T15:04:05.000000000Z07:00"

// Std is t as a standard time in UTC.
func (t Time) Std() time.Time { return time.Unix(0, int64(t)).UTC() }

// String implements fmt.Stringer.
func (t Time) String() string { return t.Std().Format(timeFormat) }

// MarshalText implements encoding.TextMarshaler.
func (t Time) MarshalText() ([]byte, error) { return t.Std().AppendFormat(nil, timeFormat), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Time) UnmarshalText(b []byte) error {
	std, err := time.Parse(time.RFC3339Nano, string(b))
	if err != nil {
		return err
	}
	*t = Time(std.UnixNano())
	return nil
}
