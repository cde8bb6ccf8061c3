package flows

// readAlone are the captures that mergecap 4.0 does not take, for they are
// damaged, of a later version, or hold more than packets.
func readAlone(name string) bool {
	switch name {
	case "odd/gopacket__pcapng-be-test102.pcapng", "odd/gopacket__pcapng-be-test901.pcapng", "odd/gopacket__pcapng-le-test018.pcapng",
		"odd/libpcap__linktype-reserved-field-not-zero.pcap", "odd/libpcap__pcap-invalid-version-1.pcap",
		"odd/libpcap__pcapng-invalid-vers-1.pcapng", "odd/libtrace__100_packets.erf", "odd/ndpi__fuzz-2021-10-13.pcap",
		"odd/pcapplusplus__fuzz-cf-6207688043397120.pcap", "odd/pcapplusplus__fuzz-crash-81dba690a3f67ee41a41390a625db732fa1413a1.pcap",
		"odd/pcapplusplus__fuzz-crash-eec28dafde1f1ac2299674a75a914ae16d4046fa.pcap",
		"odd/pcapplusplus__fuzz-crash-exception-cast-constructed-record.pcap", "odd/pcapplusplus__fuzz-igmplayer.pcap",
		"odd/tcpdump__dsa.pcap":
		return true
	}
	return false
}

// unreadByTshark are captures of which tshark 4.0 reads another number of
// frames.
var unreadByTshark = map[string]string{
	"odd/tcpdump__dsa.pcap": "a link type that it does not know",
	"odd/pcapplusplus__fuzz-crash-exception-cast-constructed-record.pcap": "it guesses a variant of pcap with longer record headers",
}

// differences are the frames that the decoder reads otherwise than tshark 4.0,
// and why.
var differences = map[string][]difference{
	"odd/ndpi__fuzz-2006-06-26-2594.pcap": {
		{"86", "the packet ends 12 bytes into TCP's header, before its flags"},
		{"330,585,686", "ARP of an unknown hardware, which no host would answer"},
	},
	"odd/pcapplusplus__fuzz-igmplayer.pcap": {
		{"1-2", "tshark guesses a variant of pcap with longer record headers, and loses the first bytes of each frame"},
	},
	"odd/tcpdump__arp-oobr.pcap": {
		{
			"28,57,78,83,92,148,186,202,220,244,317,390,415,438,445,488,564,672,696,769,781,816,844,853,869,940,958," +
				"1017,1027,1032,1035,1078,1081,1123,1141,1146,1161,1171,1208,1258,1265,1270,1321,1344,1369,1447,1480,1485," +
				"1582,1597,1602,1613,1639,1647,1680,1823,1910,1955,1976,1979,1983,1994,2052,2096,2115,2147,2234,2264,2282",
			"ARP of an unknown hardware, or with addresses of a length that it does not have",
		},
	},
	"odd/tcpdump__ip_ts_opts_asan.pcap": {
		{"1", "cut in front of the ICMP header: its type is not known"},
	},
	"odd/tcpdump__ipv6_frag6_negative_len.pcap": {
		{"1", "tshark does not read the fragment header, for there are fewer bytes than the packet says"},
	},
	"odd/zeek__cisco-fabric-path.pcap": {
		{"65-96", "SCTP in 8 bytes, less than its header"},
		{"114,116,118,120,122,124,126,128", "tshark takes the last 4 bytes of the inner frame for a check sequence, and has too few for IPv6"},
	},
	"odd/zeek__pbb-recursive-frames.pcapng": {
		{"1", "fifty frames within frames: not looked into further than eight"},
	},
	"odd/zeek__tunnels-ayiya3.pcap": {
		{"1", "an answer whose question came before the capture: a source port alone makes no tunnel"},
	},
}
