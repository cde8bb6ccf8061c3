package capture

import (
	"strconv"
	"sync/atomic"
)

// noLink is the link type of an interface that was never seen.
const noLink = 0xffff

// linkNames are the names tcpdump prints, without LINKTYPE_ or DLT_.
var linkNames = map[uint16]string{
	0: "NULL", 1: "EN10MB", 2: "EN3MB", 3: "AX25", 4: "PRONET", 5: "CHAOS",
	6: "IEEE802", 7: "ARCNET", 8: "SLIP", 9: "PPP", 10: "FDDI", 12: "RAW",
	14: "RAW", 50: "PPP_SERIAL", 51: "PPP_ETHER", 99: "SYMANTEC_FIREWALL",
	100: "ATM_RFC1483", 101: "RAW", 104: "C_HDLC", 105: "IEEE802_11",
	107: "FRELAY", 108: "LOOP", 109: "ENC", 113: "LINUX_SLL", 114: "LTALK",
	117: "PFLOG", 119: "PRISM_HEADER", 122: "IP_OVER_FC", 123: "SUNATM",
	127: "IEEE802_11_RADIO", 129: "ARCNET_LINUX", 130: "JUNIPER_MLPPP",
	135: "JUNIPER_ATM2", 137: "JUNIPER_ATM1", 138: "APPLE_IP_OVER_IEEE1394",
	139: "MTP2_WITH_PHDR", 140: "MTP2", 141: "MTP3", 142: "SCCP", 143: "DOCSIS",
	144: "LINUX_IRDA", 147: "USER0", 148: "USER1", 149: "USER2", 150: "USER3",
	151: "USER4", 152: "USER5", 153: "USER6", 154: "USER7", 155: "USER8",
	156: "USER9", 157: "USER10", 158: "USER11", 159: "USER12", 160: "USER13",
	161: "USER14", 162: "USER15", 163: "IEEE802_11_RADIO_AVS",
	165: "BACNET_MS_TP", 166: "PPP_PPPD", 169: "GPRS_LLC", 177: "LINUX_LAPD",
	178: "JUNIPER_ETHER", 179: "JUNIPER_PPP", 180: "JUNIPER_FRELAY",
	181: "JUNIPER_CHDLC", 187: "BLUETOOTH_HCI_H4", 189: "USB_LINUX",
	192: "PPI", 195: "IEEE802_15_4_WITHFCS", 197: "ERF",
	201: "BLUETOOTH_HCI_H4_WITH_PHDR", 202: "AX25_KISS", 203: "LAPD",
	204: "PPP_WITH_DIR", 205: "C_HDLC_WITH_DIR", 206: "FRELAY_WITH_DIR",
	209: "IPMB_LINUX", 215: "IEEE802_15_4_NONASK_PHY", 220: "USB_LINUX_MMAPPED",
	224: "FC_2", 225: "FC_2_WITH_FRAME_DELIMS", 226: "IPNET",
	227: "CAN_SOCKETCAN", 228: "IPV4", 229: "IPV6", 230: "IEEE802_15_4_NOFCS",
	231: "DBUS", 235: "DVB_CI", 236: "MUX27010", 237: "STANAG_5066_D_PDU",
	239: "NFLOG", 240: "NETANALYZER", 241: "NETANALYZER_TRANSPARENT",
	242: "IPOIB", 243: "MPEG_2_TS", 244: "NG40", 245: "NFC_LLCP",
	247: "INFINIBAND", 248: "SCTP", 249: "USBPCAP", 250: "RTAC_SERIAL",
	251: "BLUETOOTH_LE_LL", 253: "NETLINK", 254: "BLUETOOTH_LINUX_MONITOR",
	256: "BLUETOOTH_LE_LL_WITH_PHDR", 257: "PROFIBUS_DL", 258: "PKTAP",
	259: "EPON", 264: "ISO_14443", 265: "RDS", 266: "USB_DARWIN", 268: "SDLC",
	271: "VSOCK", 272: "NORDIC_BLE", 273: "DOCSIS31_XRA31", 274: "ETHERNET_MPACKET",
	275: "DISPLAYPORT_AUX", 276: "LINUX_SLL2", 278: "OPENVIZSLA", 279: "EBHSCR",
	280: "VPP_DISPATCH", 281: "DSA_TAG_BRCM", 282: "DSA_TAG_BRCM_PREPEND",
	283: "IEEE802_15_4_TAP", 284: "DSA_TAG_DSA", 285: "DSA_TAG_EDSA", 286: "ELEE",
	287: "Z_WAVE_SERIAL", 288: "USB_2_0", 289: "ATSC_ALP", 290: "ETW",
	292: "ZBOSS_NCP", 299: "SILABS_DEBUG_CHANNEL",
}

// LinkName names a LINKTYPE number as tcpdump does: "EN10MB" for 1,
// "LINUX_SLL2" for 276, "LINKTYPE 999" for a number that has no name.
func LinkName(link uint16) string {
	if name, ok := linkNames[link]; ok {
		return name
	}
	return "LINKTYPE " + strconv.Itoa(int(link))
}

// maxCapture bounds the captured bytes of one pcap record. The general bound
// is libpcap's MAXIMUM_SNAPLEN plus room for a header that a capturing program
// put in front; buses with longer units have their own, as they do there.
func maxCapture(link uint16) int {
	switch link {
	case 189, 220, 249, 266: // USB
		return 1<<20 + maxCaptureSlack
	case 279: // EBHSCR
		return 8<<20 + maxCaptureSlack
	case 231: // D-Bus
		return maxBlock
	}
	return 1<<18 + maxCaptureSlack
}

const maxCaptureSlack = 4096

const (
	// maxIfaces bounds the interfaces of one Source, and of one section.
	maxIfaces = 1 << 16
	// maxIfaceName is how many bytes of an interface's name tell it from
	// others; Linux has 15, Windows 50.
	maxIfaceName = 64
)

// ifaceKey tells interfaces apart across sections and files.
type ifaceKey struct {
	link uint16
	name string
	nth  int // among those of its section that are otherwise alike
}

// registry numbers the interfaces of a Source. Only Read adds to it.
type registry struct {
	ids   map[ifaceKey]uint32
	links []uint16
	seen  atomic.Pointer[[]uint16] // links, for other goroutines
}

// id returns the number of an interface, a new one if it was never seen.
func (r *registry) id(key ifaceKey) (id uint32, ok bool) {
	if id, ok = r.ids[key]; ok {
		return id, true
	}
	if len(r.links) == maxIfaces {
		return 0, false
	}
	if r.ids == nil {
		r.ids = make(map[ifaceKey]uint32)
	}
	id = uint32(len(r.links))
	r.ids[key] = id
	// Readers of an older slice never look behind its length, so appending in
	// place is safe.
	r.links = append(r.links, key.link)
	links := r.links
	r.seen.Store(&links)
	return id, true
}

func (r *registry) link(id uint32) uint16 {
	links := r.seen.Load()
	if links == nil || uint64(id) >= uint64(len(*links)) {
		return noLink
	}
	return (*links)[id]
}
