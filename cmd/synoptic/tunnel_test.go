package main

import (
	"encoding/binary"
	"os"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"
)

// tunnel is: tunnel FROM TO. It puts each frame of a capture, a plain
// little-endian pcap file, into VXLAN over IPv4 between two hosts.
func tunnel(ts *testscript.TestScript, _ bool, args []string) {
	const fileHeader, recordHeader = 24, 16
	in := []byte(ts.ReadFile(args[0]))
	out := slices.Clone(in[:fileHeader])
	for in = in[fileHeader:]; len(in) > 0; {
		n := int(binary.LittleEndian.Uint32(in[8:]))
		frame := carried(in[recordHeader : recordHeader+n])
		out = append(out, in[:8]...)
		out = binary.LittleEndian.AppendUint32(out, uint32(len(frame)))
		out = binary.LittleEndian.AppendUint32(out, uint32(len(frame)))
		out = append(out, frame...)
		in = in[recordHeader+n:]
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out, 0o600))
}

// carried is an Ethernet frame inside VXLAN over UDP over IPv4 over Ethernet.
func carried(frame []byte) []byte {
	vxlan := append([]byte{8, 0, 0, 0, 0, 0, 5, 0}, frame...)
	udp := []byte{0xc3, 0x50, 0x12, 0xb5} // from 50000 to 4789
	udp = binary.BigEndian.AppendUint16(udp, uint16(8+len(vxlan)))
	udp = append(append(udp, 0, 0), vxlan...)
	ip := []byte{0x45, 0}
	ip = binary.BigEndian.AppendUint16(ip, uint16(20+len(udp)))
	ip = append(ip, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2)
	ether := []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0}
	return slices.Concat(ether, ip, udp)
}
