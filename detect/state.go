package detect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc64"
	"hash/fnv"
	"slices"
	"strings"
)

// A state is a header, and what an engine remembers. The header is
//
//	magic     8 bytes  "synoptic"
//	version   4 bytes  of what follows: stateVersion
//	seed      8 bytes  that keys the hashes
//	time      8 bytes  of the capture, in nanoseconds, when it was saved
//	made for  8 bytes  hash of rules, home and bounds
//	length    8 bytes  of the rest
//	checksum  8 bytes  CRC-64 (ECMA) of the header before it, and the rest
//
// with numbers in little-endian.
const (
	stateMagic   = "synoptic"
	stateVersion = 1
	stateHeader  = len(stateMagic) + 4 + 5*8
)

// StateHeader is what is known of a state before it is loaded.
type StateHeader struct {
	// Seed is that of the engine that saved it, see [Config.Seed]. Another cannot load it.
	Seed uint64
	// Time is how far the capture was that it was saved of.
	Time Time
	made uint64
}

// ReadStateHeader reads the header of what [Engine.AppendState] wrote. An error says why it is no
// state that this program could load: that it is none, of another version, or damaged.
func ReadStateHeader(data []byte) (StateHeader, error) {
	if len(data) < stateHeader || !strings.HasPrefix(string(data[:len(stateMagic)]), stateMagic) {
		return StateHeader{}, errors.New("it is no state of synoptic")
	}
	b := data[len(stateMagic):stateHeader]
	if v := binary.LittleEndian.Uint32(b); v != stateVersion {
		return StateHeader{}, fmt.Errorf("it is of version %d, and this program reads version %d", v, stateVersion)
	}
	word := func(n int) uint64 { return binary.LittleEndian.Uint64(b[4+8*n:]) }
	if length := word(3); length != uint64(len(data)-stateHeader) {
		return StateHeader{}, fmt.Errorf("it is damaged: of %d bytes there are %d", length, len(data)-stateHeader)
	}
	if word(4) != stateSum(data) {
		return StateHeader{}, errors.New("it is damaged: its checksum is another")
	}
	return StateHeader{Seed: word(0), Time: Time(word(1)), made: word(2)}, nil //nolint:gosec // as it was written
}

// stateSum is the checksum of a state.
func stateSum(data []byte) uint64 {
	table := crc64.MakeTable(crc64.ECMA)
	sum := crc64.Update(0, table, data[:stateHeader-8])
	return crc64.Update(sum, table, data[stateHeader:])
}

// AppendState appends to dst what the engine remembers, for [Engine.LoadState]: sources and their
// latest attempts, as far as there is room for 65,536; counts, walks, suspects, earlier hours,
// what is known of services; open scans and closed ones that are watched. Not what is asked at the gate, nor
// floods and the like. It writes nothing else, and the engine goes on as before. It takes some
// milliseconds a megabyte.
func (e *Engine) AppendState(dst []byte) []byte {
	from := len(dst)
	c := &coder{buf: append(dst, make([]byte, stateHeader)...), shift: e.health.shift}
	c.engine(e)
	data := c.buf[from:]
	n := copy(data, stateMagic)
	binary.LittleEndian.PutUint32(data[n:], stateVersion)
	put := func(at int, word uint64) { binary.LittleEndian.PutUint64(data[n+4+8*at:], word) }
	put(0, e.cfg.Seed)
	put(1, uint64(e.now+c.shift)) //nolint:gosec // any bits
	put(2, e.madeFor())
	put(3, uint64(len(data)-stateHeader))
	put(4, stateSum(data))
	return c.buf
}

// LoadState takes what another engine has remembered, before the first event. That must have had the
// same seed, rules, home and bounds; the allow-list may differ. From there on the scans are those that
// the other would have found. An error says why it cannot be loaded; after it the engine is not
// to be used.
func (e *Engine) LoadState(data []byte) error {
	h, err := ReadStateHeader(data)
	switch {
	case err != nil:
		return err
	case h.Seed != e.cfg.Seed:
		return errors.New("it is of another seed")
	case h.made != e.madeFor():
		return errors.New("it was saved with other rules, home networks or memory")
	}
	c := &coder{reading: true, buf: data[stateHeader:]}
	c.engine(e)
	if c.err == nil && len(c.buf) > 0 {
		c.Fail("it has more than it should")
	}
	if c.err != nil {
		return fmt.Errorf("it is damaged: %w", c.err)
	}
	e.check = e.now
	return nil
}

// Settle closes open scans without telling of it, for it has been told: by an engine that was ended
// before its state was saved again.
func (e *Engine) Settle(ids []string) {
	report := e.cfg.Report
	e.cfg.Report = func(Scan) {}
	defer func() { e.cfg.Report = report }()
	told := func(id string) bool { return slices.Contains(ids, id) }
	kept := e.open[:0]
	for _, inc := range e.open {
		if told(inc.id) {
			e.close(inc, e.now)
		} else {
			kept = append(kept, inc)
		}
	}
	clear(e.open[len(kept):])
	e.open = kept
	e.reopened = slices.DeleteFunc(e.reopened, func(w *watch) bool {
		if !told(w.record.ID) {
			return false
		}
		e.recloses(w, e.now)
		return true
	})
}

// engine codes what an engine remembers.
func (c *coder) engine(e *Engine) {
	c.line(&e.now)
	c.past(&e.past)
	c.sources(e)
	c.groups(&e.groups, e.now)
	c.walkers(&e.walkers)
	c.slow(e)
	c.facts(&e.facts, e.now)
	for i := range e.outages {
		c.outage(&e.outages[i])
	}
	c.orders(&e.orders)
	c.health(&e.health)
	c.crowds(&e.crowds)
	if e.division.table != nil {
		e.division.table.Code(c)
	}
	c.scans(e)
}

// madeFor tells engines apart that could not go on with each other's state: what they remember
// is placed by the bounds, and counted by the rules.
func (e *Engine) madeFor() uint64 {
	h := fnv.New64a()
	cfg := e.cfg
	cfg.Report, cfg.Notify, cfg.Trace = nil, nil, nil
	home := slices.Clone(e.given.Home)
	_, _ = fmt.Fprintf(h, "%+v\n%+v\n%+v", cfg, e.given.Rules, home)
	return h.Sum64()
}
