// Package capture reads captured packets: pcap, pcapng, snoop and ERF files,
// plain or compressed, as they are or as they grow, standard input, whole
// directories, and any gopacket source. On Linux it captures from devices by the
// ring of packets that the kernel shares with a program ([OpenRing]); with the
// build tag libpcap by way of gopacket and libpcap.
//
// Every kind of input is a [Source], which hands out packets in batches that
// point into its own read buffer, so that nothing is copied or allocated per
// packet. [Open] reads one input, [Join] several in order, [NewReader] any
// io.Reader. [FromGopacket] and [ToGopacket] connect to programs written for
// gopacket.
//
// Input is not trusted. Lengths are checked before they are used, buffers
// grow only with data that has arrived, and a record that makes no sense is
// counted in [Stats]. Damage never discards what was read before it: the
// packets come first, then a [*DamageError] with the offset, then whatever
// input is next.
package capture
