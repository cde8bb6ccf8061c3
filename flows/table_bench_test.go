package flows

import "testing"

// BenchmarkTable is the table's work a packet on conversations as they mostly are.
func BenchmarkTable(b *testing.B) {
	var packets []Packet
	for i := range 20000 {
		packets = append(packets, conversationOf(i)...)
	}
	span := int64(20000) * millisecond
	table := NewTable(TableConfig{MaxEntries: 50000})
	events := make([]Event, 0, 64)
	b.ResetTimer()
	for i := range b.N {
		p := packets[i%len(packets)]
		p.Time += int64(i/len(packets)) * span
		events = table.Add(&p, events[:0])
	}
}

// BenchmarkTableFlood is that on SYNs from ever other addresses, each of which is
// refused.
func BenchmarkTableFlood(b *testing.B) {
	table := NewTable(TableConfig{MaxEntries: 50000})
	events := make([]Event, 0, 64)
	base := conversationOf(3)[0]
	for i := range b.N {
		p := base
		p.Time += int64(i) * 1000
		p.Src[13], p.Src[14], p.Src[15] = byte(i>>16), byte(i>>8), byte(i)
		events = table.Add(&p, events[:0])
		p.Src, p.Dst, p.SrcPort, p.DstPort, p.Flags = p.Dst, p.Src, p.DstPort, p.SrcPort, FlagRST|FlagACK
		events = table.Add(&p, events[:0])
	}
}

// BenchmarkTableBackscatter is that on SYN-ACKs that answer nothing.
func BenchmarkTableBackscatter(b *testing.B) {
	table := NewTable(TableConfig{MaxEntries: 50000})
	events := make([]Event, 0, 64)
	base := conversationOf(0)[1]
	for i := range b.N {
		p := base
		p.Time += int64(i) * 1000
		p.Dst[13], p.Dst[14], p.Dst[15] = byte(i>>16), byte(i>>8), byte(i)
		events = table.Add(&p, events[:0])
	}
}
