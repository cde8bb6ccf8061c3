package capture

import (
	"fmt"

	"golang.org/x/net/bpf"
)

const (
	kindOutgoing = 4   // of a packet: this host sends it
	hatypeEther  = 1   // of a device: Ethernet
	hatypeLoop   = 772 // loopback, which has the same headers
	hatypeRaw    = 519 // nothing in front of IP
	hatypeNone   = 65534
	hatypeWifi   = 801 // 802.11 without more
	hatypePrism  = 802
	hatypeRadio  = 803  // 802.11 behind radiotap
	hatypeAny    = 0    // all devices at once, which may be of any type
	maxProgram   = 4096 // instructions that Linux takes
)

// program is what a socket drops packets by, and cuts them.
func (c DeviceConfig) program(link uint16, hatype uint16) ([]bpf.RawInstruction, error) {
	snap := uint32(c.SnapLen)
	var head []bpf.Instruction
	switch {
	case c.Incoming || hatype == hatypeLoop:
		head = noneOutgoing(0)
	case hatype == hatypeAny:
		head = noneOutgoing(hatypeLoop)
	}
	code := []bpf.Instruction{bpf.RetConstant{Val: snap}}
	if c.Filter != nil {
		own, err := c.Filter(link, snap)
		if err != nil {
			return nil, fmt.Errorf("making a program of the filter: %w", err)
		}
		if len(head)+len(own) <= maxProgram {
			code = own
		}
	}
	return bpf.Assemble(append(head, code...))
}

// noneOutgoing drops what this host sends, on devices of one type unless that is 0.
func noneOutgoing(hatype uint32) []bpf.Instruction {
	kind := bpf.LoadExtension{Num: bpf.ExtType}
	if hatype == 0 {
		return []bpf.Instruction{
			kind,
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: kindOutgoing, SkipTrue: 1},
			bpf.RetConstant{Val: 0},
		}
	}
	return []bpf.Instruction{
		kind,
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: kindOutgoing, SkipTrue: 3},
		bpf.LoadExtension{Num: bpf.ExtLinkLayerType},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: hatype, SkipTrue: 1},
		bpf.RetConstant{Val: 0},
	}
}

// linkOfType is the LINKTYPE of a device's frames. Those of types that are not read as
// they are have their headers replaced by the system (cooked).
func linkOfType(hatype uint16) uint16 {
	switch hatype {
	case hatypeEther, hatypeLoop:
		return linkEthernet
	case hatypeRaw, hatypeNone:
		return linkRaw
	case hatypeWifi:
		return 105 // LINKTYPE_IEEE802_11 and its kin
	case hatypePrism:
		return 119
	case hatypeRadio:
		return 127
	}
	return linkCooked
}
