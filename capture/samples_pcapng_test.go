package capture

import (
	"slices"
	"strings"
)

func pcapngSamples() []sample {
	return slices.Concat(ngVariants(), ngInterfaces(), ngClocks(), ngBlocks(), ngDrops(), ngDamage(), ngRefused())
}

func ngVariants() []sample {
	ether := []uint16{1}
	want := []got{{1_500_000_000, 60, 0, "one"}, {2 * second, 3, 0, "two"}}
	two := func(w *ng) []byte {
		return w.iface(1, 99).packet(0, 1_500_000, 60, "one").packet(0, 2_000_000, 3, "two").b
	}
	return []sample{
		{name: "little-endian sections", file: two(newNg(le)), want: want, links: ether},
		{name: "big-endian sections", file: two(newNg(be)), want: want, links: ether},
		{name: "minor version 2", file: two((&ng{}).section(le, 1, 2)), want: want, links: ether, tshark: true},
		{name: "a section without interfaces", file: newNg(le).b},
		{
			name: "an empty section before another", file: two(newNg(le).section(le, 1, 0)),
			want: want, links: ether,
		},
		{
			name: "sections of either byte order", links: []uint16{1, 101}, tshark: true,
			file: newNg(le).iface(1, 99).packet(0, 1_000_000, 60, "one").
				section(be, 1, 0).iface(101, 99).packet(0, 2_000_000, 60, "two").
				section(le, 1, 0).iface(1, 99).packet(0, 3_000_000, 60, "three").b,
			want: []got{{second, 60, 0, "one"}, {2 * second, 60, 1, "two"}, {3 * second, 60, 0, "three"}},
		},
		{
			name: "an interface belongs to its section", links: ether, stats: Stats{Skipped: 1},
			file: newNg(le).iface(1, 99).packet(0, 1_000_000, 60, "one").
				section(le, 1, 0).packet(0, 2_000_000, 60, "two").b,
			want: []got{{second, 60, 0, "one"}},
		},
	}
}

func ngInterfaces() []sample {
	return []sample{
		{
			name: "interfaces of different link types", links: []uint16{1, 276, 228}, tshark: true,
			file: newNg(le).iface(1, 99).iface(276, 0).iface(228, 99, optIfTsresol, byte(9)).
				packet(1, 1_000_000, 60, strings.Repeat("s", 40)).packet(2, 1_000_000_007, 60, "ip").
				packet(0, 2_000_000, 60, "eth").b,
			want: []got{{second, 60, 1, strings.Repeat("s", 40)}, {second + 7, 60, 2, "ip"}, {2 * second, 60, 0, "eth"}},
		},
		{
			name: "interfaces are known again by link type and name", links: []uint16{1, 1, 1},
			file: newNg(le).iface(1, 99, optIfName, "eth0").iface(1, 99, optIfName, "eth1").iface(1, 99, optIfName, "eth0").
				packet(0, 1, 9, "a").packet(1, 2, 9, "b").packet(2, 3, 9, "c").
				section(be, 1, 0).iface(1, 99, optIfName, "eth1\x00").iface(1, 99, optIfName, "eth0").
				packet(0, 4, 9, "d").packet(1, 5, 9, "e").b,
			want: []got{{1000, 9, 0, "a"}, {2000, 9, 1, "b"}, {3000, 9, 2, "c"}, {4000, 9, 1, "d"}, {5000, 9, 0, "e"}},
		},
		{
			name: "packets of interfaces that are not there", links: []uint16{1}, stats: Stats{Skipped: 4},
			file: newNg(le).simple(60, "early").iface(1, 99).packet(1, 1, 9, "a").packet(0xffffffff, 1, 9, "b").
				obsolete(7, 0, 3, 9, "c").packet(0, 4, 9, "d").b,
			want: []got{{4000, 9, 0, "d"}},
		},
		{
			name: "FCS lengths", links: []uint16{1, 1, 1, 1},
			file: newNg(le).iface(1, 99, optIfFcslen, byte(4)).iface(1, 99, optIfFcslen, byte(16)).
				iface(1, 99, optIfFcslen, byte(77)).iface(1, 99).
				packet(0, 1, 10, "frame-FCS!").packet(1, 2, 10, "frame-FCS!").packet(2, 3, 10, "frame-FCS!").
				packet(3, 4, 10, "frame-FCS!", optEpbFlags, uint32(4<<5)).packet(0, 5, 100, "frame-FCS!").
				packet(0, 6, 10, "frame-FCS!", optEpbFlags, uint32(1)).b,
			want: []got{
				{1000, 10, 0, "frame-"},
				{2000, 10, 1, "frame-FC"},
				{3000, 10, 2, "frame-FCS!"},
				{4000, 10, 3, "frame-"},
				{5000, 100, 0, "frame-FCS!"},
				{6000, 10, 0, "frame-"},
			},
		},
		{
			name: "an interface described in too few bytes", links: []uint16{1}, stats: Stats{Skipped: 2},
			file: newNg(le).block(blockInterface, []byte{1, 0, 0, 0}).iface(1, 0).packet(0, 1, 9, "a").packet(1, 2, 9, "b").b,
			want: []got{{2000, 9, 0, "b"}},
			errs: []string{"x: damaged at offset 28 after 0 packets: interface 0 is described in 4 bytes; its packets are skipped"},
		},
	}
}

// clockSample has one packet at ts on an interface with options.
func clockSample(name string, ts uint64, want int64, options ...any) sample {
	return sample{
		name: "clock: " + name, links: []uint16{1},
		file: newNg(le).iface(1, 99, options...).packet(0, ts, 9, "a").b,
		want: []got{{want, 9, 0, "a"}},
	}
}

func badClock(name, reason string, options ...any) sample {
	return sample{
		name: "clock: " + name, links: []uint16{1}, stats: Stats{Skipped: 2},
		file: newNg(le).iface(1, 99, options...).iface(1, 99).packet(0, 1, 9, "a").packet(1, 2, 9, "b").b,
		want: []got{{2000, 9, 0, "b"}},
		errs: []string{"x: damaged at offset 28 after 0 packets: interface 0 has " + reason + "; its packets are skipped"},
	}
}

func ngClocks() []sample {
	const at = 1_700_000_000
	nano := clockSample("10^-9", at*1e9+1, at*second+1, optIfTsresol, byte(9))
	nano.tshark = true
	return []sample{
		nano,
		clockSample("10^0", at, at*second, optIfTsresol, byte(0)),
		clockSample("10^-3", at*1000+7, at*second+7_000_000, optIfTsresol, byte(3)),
		clockSample("10^-10", at*1e10+79, at*second+7, optIfTsresol, byte(10)),
		clockSample("10^-19", 18_000_000_000_000_000_000, 1_800_000_000, optIfTsresol, byte(19)),
		clockSample("2^-0", at, at*second, optIfTsresol, byte(0x80)),
		clockSample("2^-10", at<<10+512, at*second+500_000_000, optIfTsresol, byte(0x80+10)),
		clockSample("2^-20", at<<20+1<<20-1, at*second+999_999_046, optIfTsresol, byte(0x80+20)),
		clockSample("2^-32", at<<32+1<<32-1, at*second+999_999_999, optIfTsresol, byte(0x80+32)),
		clockSample("2^-63", 3<<62, 1_500_000_000, optIfTsresol, byte(0x80+63)),
		clockSample("offset", 1, at*second+1000, optIfTsoffset, int64(at)),
		clockSample("offset back", 5_000_000, -5*second, optIfTsoffset, int64(-10)),
		clockSample("options behind the end do not count", 1_000_000, second, optEnd, "", optIfTsresol, byte(0)),
		clockSample("option of a wrong size does not count", 1_000_000, second, optIfTsresol, uint32(0)),
		badClock("10^-20", "a timestamp resolution of 10^-20, finer than 10^-19", optIfTsresol, byte(20)),
		badClock("10^-127", "a timestamp resolution of 10^-127, finer than 10^-19", optIfTsresol, byte(127)),
		badClock("2^-64", "a timestamp resolution of 2^-64, finer than 2^-63", optIfTsresol, byte(0x80+64)),
		badClock("2^-127", "a timestamp resolution of 2^-127, finer than 2^-63", optIfTsresol, byte(0xff)),
		badClock("absurd offset", "a timestamp offset of -9223372036854775808 s", optIfTsoffset, int64(-1<<63)),
		{
			name: "clock: absurd times", links: []uint16{1, 1}, stats: Stats{Skipped: 3},
			file: newNg(le).iface(1, 99).iface(1, 99, optIfTsoffset, int64(maxSeconds)).
				packet(0, 1<<64-1, 9, "a").packet(0, 2, 9, "b").packet(1, 1, 9, "c").packet(1, 0, 9, "d").
				packet(0, maxTime/1000+1, 9, "e").b,
			want: []got{{2000, 9, 0, "b"}, {maxTime, 9, 1, "d"}},
			errs: []string{
				"x: damaged at offset 88 after 0 packets: a packet with timestamp 0xffffffffffffffff, outside the years 1684 to 2255; it is skipped",
				"x: damaged at offset 160 after 1 packet: a packet with timestamp 0x1, outside the years 1684 to 2255; it is skipped",
				"x: damaged at offset 232 after 2 packets: a packet with timestamp 0x1ff973cafa8001, outside the years 1684 to 2255; it is skipped",
			},
		},
	}
}

func ngBlocks() []sample {
	overlong := newNg(le).iface(1, 99)
	overlong.block(blockEnhanced, append(overlong.words(0, 0, 1, 0x3fffffff, 60), "data"...)).
		block(blockPacket, append(overlong.words(0, 0, 1, 5, 60), "data"...)).
		block(blockEnhanced, overlong.words(0, 0, 1)).block(blockPacket, nil).block(blockSimple, nil).
		block(blockStatistics, overlong.words(0, 0)).statistics(9).packet(0, 2, 9, "b")
	return []sample{
		{
			name: "simple packets", links: []uint16{1}, stats: Stats{Untimed: 3},
			file: newNg(le).iface(1, 4).simple(3, "one").packet(0, 5_000_000, 60, "two").simple(60, "three").simple(3, "tri").b,
			want: []got{{0, 3, 0, "one"}, {5 * second, 60, 0, "two"}, {5 * second, 60, 0, "thre"}, {5 * second, 3, 0, "tri"}},
		},
		{
			name: "simple packets without snapshot length", links: []uint16{1}, stats: Stats{Untimed: 2},
			file: newNg(be).iface(1, 0).simple(60, "aligned8").simple(5, "three").b,
			want: []got{{0, 60, 0, "aligned8"}, {0, 5, 0, "three"}},
		},
		{
			name: "obsolete packets", links: []uint16{1, 113}, tshark: true,
			file: newNg(be).iface(1, 99).iface(113, 99).obsolete(1, 0xffff, 1_000_000, 60, strings.Repeat("c", 20)).obsolete(0, 0, 2_000_000, 60, "one").b,
			want: []got{{second, 60, 1, strings.Repeat("c", 20)}, {2 * second, 60, 0, "one"}},
		},
		{
			name: "blocks that hold no packets", links: []uint16{1},
			file: newNg(le).block(4, make([]byte, 4)).iface(1, 99).
				block(10, append(newNg(le).words(0x544c534b, 3), "key"...)).
				block(0xbad, newNg(le).words(32473, 7)).block(0x40000bad, newNg(le).words(32473)).
				block(9, []byte("__REALTIME_TIMESTAMP=1\n")).block(0x1234567, make([]byte, 300<<10)).
				packet(0, 1_000_000, 60, "one").block(0x80000001, nil).b,
			want: []got{{second, 60, 0, "one"}},
		},
		{
			name: "packets that do not fit their blocks", links: []uint16{1}, stats: Stats{Skipped: 7},
			file: overlong.b, want: []got{{2000, 9, 0, "b"}},
		},
		{
			name: "packet options that do not fit", links: []uint16{1},
			file: newNg(le).iface(1, 99).block(blockEnhanced, append(newNg(le).words(0, 0, 1, 4, 60),
				"data\x04\x00\xff\xffabcd"...)).b,
			want: []got{{1000, 60, 0, "data"}},
		},
		{
			name: "packet options that end at once", links: []uint16{1},
			file: newNg(le).iface(1, 99).packet(0, 1_000_000, 60, "data", 1, "a comment").packet(0, 2_000_000, 60, "odd", 1, "x").b,
			want: []got{{second, 60, 0, "data"}, {2 * second, 60, 0, "odd"}},
		},
	}
}

func ngDrops() []sample {
	file := func(w *ng) []byte {
		return w.packet(0, 1_000_000, 60, "one").b
	}
	want := []got{{second, 60, 0, "one"}}
	ether := []uint16{1}
	return []sample{
		{
			name: "drops by interface statistics, the latest", want: want, links: ether, stats: Stats{Dropped: 14},
			file: file(newNg(le).iface(1, 9).statistics(0, optIsbIfdrop, uint64(100)).
				statistics(0, 4, uint64(9000), optIsbIfdrop, uint64(10), optIsbOsdrop, uint64(4)).statistics(0)),
		},
		{
			name: "drops by packets", want: []got{want[0], {second, 60, 0, "two"}, {second, 60, 0, "three"}}, links: ether, stats: Stats{Dropped: 12},
			file: newNg(be).iface(1, 9).packet(0, 1_000_000, 60, "one", optEpbDropcount, uint64(5)).
				obsolete(0, 7, 1_000_000, 60, "two").obsolete(0, 0xffff, 1_000_000, 60, "three").b,
		},
		{
			name: "drops by both are the same packets", want: want, links: ether, stats: Stats{Dropped: 20},
			file: newNg(le).iface(1, 9).packet(0, 1_000_000, 60, "one", optEpbDropcount, uint64(5)).
				statistics(0, optIsbIfdrop, uint64(20)).b,
		},
		{
			name: "drops of several interfaces and sections", want: want, links: []uint16{1, 1}, stats: Stats{Dropped: 60},
			file: file(newNg(le).iface(1, 9).iface(1, 9).statistics(0, optIsbIfdrop, uint64(10)).statistics(1, optIsbIfdrop, uint64(20)).
				section(le, 1, 0).iface(1, 9).statistics(0, optIsbIfdrop, uint64(30))),
		},
		{
			name: "drop counts that mean unknown", want: want, links: ether,
			file: file(newNg(le).iface(1, 9).statistics(0, optIsbIfdrop, uint64(1<<64-1), optIsbOsdrop, uint64(1<<63))),
		},
	}
}

func ngDamage() []sample {
	one := func() *ng { return newNg(le).iface(1, 99).packet(0, 1_000_000, 60, "one") }
	head := len(one().b)
	want := []got{{second, 60, 0, "one"}}
	damage := func(name string, w *ng, message string) sample {
		return sample{
			name: "damage: " + name, file: w.b, want: want, links: []uint16{1}, stats: Stats{Damaged: 1},
			errs: []string{strings.NewReplacer("OFFSET", "88").Replace(message)},
		}
	}
	tail := one().packet(0, 2_000_000, 60, "longer data")
	cut := func(n int) *ng { return &ng{b: tail.b[:n]} }
	wrongTail := one().packet(0, 2, 9, "b")
	wrongTail.b[len(wrongTail.b)-4]++
	skipped := one().block(4, make([]byte, 400))
	return []sample{
		damage("block length 0", one().raw(6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
			"x: damaged at offset OFFSET after 1 packet: a block of 0 bytes"),
		damage("block length 8", one().raw(1, 2, 3, 4, 8, 0, 0, 0, 0, 0, 0, 0),
			"x: damaged at offset OFFSET after 1 packet: a block of 8 bytes"),
		damage("block length unaligned", one().raw(6, 0, 0, 0, 41, 0, 0, 0).raw(make([]byte, 33)...),
			"x: damaged at offset OFFSET after 1 packet: a block of 41 bytes"),
		damage("block too long", one().raw(6, 0, 0, 0, 4, 0, 0, 1).raw(make([]byte, 33)...),
			"x: damaged at offset OFFSET after 1 packet: a block of 16777220 bytes"),
		damage("the lengths of a block differ", wrongTail,
			"x: damaged at offset OFFSET after 1 packet: a block of 36 bytes says at its end that it has 37"),
		damage("cut in a block header", cut(head+11),
			"x: truncated at offset OFFSET after 1 packet: 11 of the 12 bytes that come next are there"),
		damage("cut in a packet", cut(len(tail.b)-1),
			"x: truncated at offset OFFSET after 1 packet: 43 of the 44 bytes that come next are there"),
		damage("cut in a block that is passed over", &ng{b: skipped.b[:len(skipped.b)-100]},
			"x: truncated at offset 400 after 1 packet: the last 100 bytes of a block are missing"),
		damage("section of an unknown byte order", one().block(blockSection, make([]byte, 16)),
			"x: damaged at offset OFFSET after 1 packet: a section with byte order 0x00000000"),
		damage("section of an unknown version", one().section(be, 2, 0),
			"x: damaged at offset OFFSET after 1 packet: pcapng version 2.0; versions 1.0 and 1.2 are read"),
		damage("section header too short", one().block(blockSection, newNg(le).words(byteOrderMagic, 1)),
			"x: damaged at offset OFFSET after 1 packet: a section header that is too short"),
	}
}

func ngRefused() []sample {
	good := newNg(le).iface(1, 99).b
	broken := slices.Clone(good)
	broken[8]++
	return []sample{
		{
			name: "cut in the section header", file: good[:27],
			refused: "x: not a readable capture: a pcapng header that is cut off after 27 of 28 bytes",
		},
		{
			name: "unknown byte order", file: broken,
			refused: "x: not a readable capture: pcapng that begins with a section with byte order 0x1a2b3c4e",
		},
		{
			name: "pcapng 0.1", file: (&ng{}).section(be, 0, 1).b,
			refused: "x: not a readable capture: pcapng version 0.1; versions 1.0 and 1.2 are read",
		},
	}
}
