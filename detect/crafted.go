package detect

import (
	"encoding/binary"

	"github.com/synoptic-ids/synoptic/flows"
)

// Header values of tools that write their own packets. Sources: nmap 7.93
// (libnetutil, tcpip.cc), masscan 1.3 (templ-pkt.c), ZMap 4.0 (packet.c), hping3
// (sendtcp.c), Mirai (scanner.c).
const (
	windowNmap  = 1024 // also masscan, unicornscan's older sets
	windowHping = 512
	idZMap      = 54321
)

// crafted reports whether a first packet is one that no ordinary stack sends.
// Each test can be repeated by hand on the packet.
func crafted(ev *flows.Event, s *source) bool {
	switch ev.Technique {
	case flows.TCPNull, flows.TCPXmas:
		return true
	case flows.TCPFIN, flows.TCPMaimon, flows.TCPACK:
		return sameSender(ev, s) || repeatsNumbers(ev, s) || windowOfTool(ev, s)
	case flows.TCPSYN:
		return craftedSYN(ev) || sameSender(ev, s)
	}
	return false
}

func craftedSYN(ev *flows.Event) bool {
	cut := ev.Marks&flows.MarkTruncated != 0
	switch {
	case !cut && ev.Marks&flows.MarkNoOptions != 0:
		return true
	case !cut && (ev.Window == windowNmap || ev.Window == windowHping):
		return true
	case ev.Ack != 0:
		return true
	}
	if !flows.IsIPv4(&ev.Responder) {
		return false
	}
	dst := binary.BigEndian.Uint32(ev.Responder[12:])
	masscan := uint16(dst^uint32(ev.Port)^ev.Seq) == ev.IPID && ev.IPID != 0
	return ev.Seq == dst || masscan || ev.IPID == idZMap && ev.Window == 65535
}

// windowOfTool reports whether a flag probe has a window that tools write and stacks
// have too, and is hping's next to the one before, from one of the next source ports.
func windowOfTool(ev *flows.Event, s *source) bool {
	const burst = 64
	step := ev.SrcPort - s.port
	return s.seen && ev.Window == windowHping && step > 0 && step <= burst
}

// sameSender reports whether a probe repeats the sequence number of the source's
// probe before it, which went to another target, or its source port. Of a SYN the
// port is no mark: FTP's data connections and file sharing have it so.
func sameSender(ev *flows.Event, s *source) bool {
	if !s.seen || s.target == ev.Responder && s.to == ev.Port {
		return false
	}
	return ev.Technique != flows.TCPSYN && ev.SrcPort == s.port || ev.Seq != 0 && ev.Seq == s.seq
}
