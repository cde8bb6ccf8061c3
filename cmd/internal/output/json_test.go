package output_test

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/cmd/internal/explain"
	"github.com/synoptic-ids/synoptic/cmd/internal/output"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/flows"
)

func addr(last byte) [16]byte {
	return [16]byte{10: 0xff, 11: 0xff, 12: 192, 13: 0, 14: 2, 15: last}
}

// attempts are one of each kind that is written in its own way.
func attempts(t *testing.T) []flows.Attempt {
	t.Helper()
	start := int64(at(t, "2026-03-10 09:12:30.804"))
	key := func(c flows.Class, proto uint8, port uint16) flows.Key {
		return flows.Key{Initiator: addr(1), Responder: addr(2), Port: port, Proto: proto, Class: c}
	}
	return []flows.Attempt{
		{Key: key(flows.ClassTCP, 6, 80), Start: start, SrcPort: 50000, Technique: flows.TCPSYN, Outcome: flows.Answered, Handshake: true, Counted: true, Connections: 1, Packets: 2},
		{Key: key(flows.ClassTCP, 6, 0), Start: start, SrcPort: 0, Technique: flows.TCPNull, Outcome: flows.Silent, Connections: 1, Packets: 1, Cut: true},
		{Key: key(flows.ClassUDP, 17, 53), Start: start, SrcPort: 50001, Technique: flows.UDP, Outcome: flows.Unreachable, Code: 3, Connections: 2, Packets: 4},
		{Key: key(flows.ClassEcho, 1, 0), Start: start, Technique: flows.ICMPEcho, Outcome: flows.Expired, Connections: 1, Packets: 1},
		{Key: key(flows.ClassProtocol, 47, 0), Start: start, Technique: flows.IPProtocol, Outcome: flows.Unseen, Connections: 1, Packets: 1},
		{Key: key(flows.ClassARP, 0, 0), Start: start, Technique: flows.ARP, Outcome: flows.Silent, Counted: true, Connections: 1, Packets: 1},
	}
}

func records(t *testing.T) (canonical, perAttempt []byte) {
	t.Helper()
	var b, c bytes.Buffer
	play(t, output.NewJSON(&b), day(t), account(t))
	e := output.NewAttempts(&c)
	for _, n := range notices(t) {
		require.NoError(t, e.Notice(&n))
	}
	for _, a := range attempts(t) {
		require.NoError(t, e.Attempt(&a))
	}
	play(t, e, day(t), account(t))
	return b.Bytes(), c.Bytes()
}

func TestJSONGolden(t *testing.T) {
	canonical, perAttempt := records(t)
	golden(t, "day.jsonl", canonical)
	golden(t, "attempts.jsonl", perAttempt)
}

func TestJSONIsTheCanonicalRecord(t *testing.T) {
	var b bytes.Buffer
	s := sweep(t)
	require.NoError(t, output.NewJSON(&b).Scan(&s))
	want, err := json.Marshal(s)
	require.NoError(t, err)
	require.Equal(t, string(want)+"\n", b.String())
	var back detect.Scan
	require.NoError(t, json.Unmarshal(b.Bytes(), &back))
	require.Equal(t, s, back, "nothing is lost on the way")
}

// Many sources have no src, and a scan merged into another says so.
func TestJSONOfManySources(t *testing.T) {
	schema := compile(t)
	all, one := decoys(t)
	for _, s := range []detect.Scan{all, one} {
		line, err := json.Marshal(s)
		require.NoError(t, err)
		require.NoError(t, validate(t, schema, line))
		require.Equal(t, s.MergedInto == "", bytes.Contains(line, []byte(`"src":null,"srcs":["203.0.113.66",`)), string(line))
		var back detect.Scan
		require.NoError(t, json.Unmarshal(line, &back))
		require.Equal(t, s, back)
	}
}

// A scan that was reopened says why.
func TestJSONOfEngaged(t *testing.T) {
	schema := compile(t)
	s := vertical(t)
	engage(&s, 2)
	s.Engaged[1] = detect.Engagement{Src: *s.Dst, Dst: s.Src, Port: 4444, Time: s.Last}
	s.Phase, s.Added = detect.Reopen, []string{"engaged"}
	s.AbusedBy = []netip.Addr{netip.MustParseAddr("198.51.100.9")}
	line, err := json.Marshal(s)
	require.NoError(t, err)
	require.NoError(t, validate(t, schema, line))
	require.Contains(t, string(line), `"port":22,"time":"2026-03-10T09:12:35.100000000Z","seconds":65.2,"sent":2020,"received":8040}`)
	var back detect.Scan
	require.NoError(t, json.Unmarshal(line, &back))
	require.Equal(t, s, back)
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(output.Schema()))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("records.json", document))
	schema, err := c.Compile("records.json")
	require.NoError(t, err)
	return schema
}

func validate(t *testing.T, schema *jsonschema.Schema, line []byte) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
	require.NoError(t, err)
	return schema.Validate(v)
}

func TestSchemaAcceptsEveryRecord(t *testing.T) {
	schema := compile(t)
	canonical, perAttempt := records(t)
	empty, err := json.Marshal(output.RunOf(&sensor.Summary{}))
	require.NoError(t, err)
	empty = bytes.Replace(empty, []byte(`"inputs":null`), []byte(`"inputs":["-"]`), 1)
	empty = bytes.Replace(empty, []byte(`"home":null`), []byte(`"home":[]`), 1)
	n := 0
	for line := range bytes.Lines(slices.Concat(canonical, perAttempt, empty)) {
		require.NoError(t, validate(t, schema, line), string(line))
		n++
	}
	require.Equal(t, 5+len(notices(t))+1+6+1, n)
}

func TestSchemaRefuses(t *testing.T) {
	schema := compile(t)
	good, err := json.Marshal(vertical(t))
	require.NoError(t, err)
	require.NoError(t, validate(t, schema, good))
	for _, tt := range []struct{ name, old, new string }{
		{"an unknown field", `"hosts":1`, `"hosts":1,"hostz":1`},
		{"a missing field", `"hosts":1,`, ``},
		{"a negative count", `"hosts":1`, `"hosts":-1`},
		{"a fractional count", `"hosts":1`, `"hosts":1.5`},
		{"an unknown phase", `"phase":"close"`, `"phase":"closed"`},
		{"a time without nanoseconds", `.804000000Z`, `.804Z`},
		{"an unknown verdict", `"verdict":"answered"`, `"verdict":"blocked"`},
		{"an outcome too few", `"silent":40,`, ``},
		{"a severity out of range", `"severity":3`, `"severity":6`},
		{"a scan that is a flood", `"event":"scan"`, `"event":"flood"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bad := strings.Replace(string(good), tt.old, tt.new, 1)
			require.NotEqual(t, string(good), bad)
			require.Error(t, validate(t, schema, []byte(bad)))
		})
	}
}

// TestSchemaHasEveryField compares the schema with the Go types, so that a
// field added to one of them cannot be forgotten in the other.
func TestSchemaHasEveryField(t *testing.T) {
	var schema struct {
		Defs map[string]struct {
			Required   []string                   `json:"required"`
			Properties map[string]json.RawMessage `json:"properties"`
		} `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal(output.Schema(), &schema))
	for name, typ := range map[string]reflect.Type{
		"scan": reflect.TypeFor[detect.Scan](), "run": reflect.TypeFor[output.Run](),
		"attempt": reflect.TypeFor[output.Attempt](), "part": reflect.TypeFor[detect.Part](),
		"fired": reflect.TypeFor[detect.Fired](), "outcomes": reflect.TypeFor[detect.Outcomes](),
		"endpoint": reflect.TypeFor[detect.Endpoint](), "notice": reflect.TypeFor[detect.Notice](),
		"authorization": reflect.TypeFor[detect.Authorization](), "outside": reflect.TypeFor[detect.Outside](),
		"learning": reflect.TypeFor[detect.Learning](), "notice_evidence": reflect.TypeFor[detect.NoticeEvidence](), "explain": reflect.TypeFor[explain.Explanation](),
		"stand": reflect.TypeFor[explain.Stand](), "sweep": reflect.TypeFor[explain.Swept](),
		"digest": reflect.TypeFor[output.Digest](), "digest_technique": reflect.TypeFor[output.DigestTechnique](),
		"digest_port": reflect.TypeFor[output.DigestPort](),
	} {
		t.Run(name, func(t *testing.T) {
			var all, required []string
			for field := range typ.Fields() {
				field, options, _ := strings.Cut(field.Tag.Get("json"), ",")
				all = append(all, field)
				if options != "omitempty" {
					required = append(required, field)
				}
			}
			def := schema.Defs[name]
			var properties []string
			for p := range def.Properties {
				properties = append(properties, p)
			}
			require.ElementsMatch(t, all, properties)
			require.ElementsMatch(t, required, def.Required)
		})
	}
}

func TestRunOfSortsOutDamage(t *testing.T) {
	r := account(t)
	require.Equal(t, []output.Damage{{Input: "cut.pcap", Offset: 4096, Packets: 31, Reason: "12 of 60 bytes are there"}}, r.Damaged)
	require.Equal(t, []output.Refusal{
		{Input: "dir/notes.txt", What: "plain text"}, {Input: "a\x1b[31m.txt", What: "plain text"},
	}, r.Refused)
	require.Equal(t, uint64(6), r.NoIP)
}

func TestLinkName(t *testing.T) {
	for number, want := range map[uint16]string{
		1: "ETHERNET", 105: "IEEE802_11", 147: "USER0", 162: "USER15", 276: "LINUX_SLL2", 163: "IEEE802_11_AVS", 9999: "",
	} {
		require.Equal(t, want, output.LinkName(number), number)
	}
}
