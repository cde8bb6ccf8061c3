package output

import "strconv"

// LINKTYPE_USER0 to LINKTYPE_USER15 are for private use.
const (
	firstUserLink = 147
	lastUserLink  = 162
)

// LinkName is the name of a LINKTYPE number that captures are likely to have,
// without its LINKTYPE_ prefix; empty for others.
func LinkName(number uint16) string {
	switch number {
	case 0:
		return "NULL"
	case 1:
		return "ETHERNET"
	case 6:
		return "IEEE802_5"
	case 7:
		return "ARCNET_BSD"
	case 8:
		return "SLIP"
	case 9:
		return "PPP"
	case 10:
		return "FDDI"
	case 50:
		return "PPP_HDLC"
	case 51:
		return "PPP_ETHER"
	case 101:
		return "RAW"
	case 104:
		return "C_HDLC"
	case 105:
		return "IEEE802_11"
	case 107:
		return "FRELAY"
	case 108:
		return "LOOP"
	case 113:
		return "LINUX_SLL"
	case 117:
		return "PFLOG"
	case 119:
		return "IEEE802_11_PRISM"
	case 122:
		return "IP_OVER_FC"
	case 127:
		return "IEEE802_11_RADIOTAP"
	case 129:
		return "ARCNET_LINUX"
	case 138:
		return "APPLE_IP_OVER_IEEE1394"
	case 140:
		return "MTP2"
	case 141:
		return "MTP3"
	case 163:
		return "IEEE802_11_AVS"
	default:
		if number >= firstUserLink && number <= lastUserLink {
			return "USER" + strconv.Itoa(int(number-firstUserLink))
		}
		return rareLinkName(number)
	}
}

func rareLinkName(number uint16) string {
	switch number {
	case 165:
		return "BACNET_MS_TP"
	case 166:
		return "PPP_PPPD"
	case 187:
		return "BLUETOOTH_HCI_H4"
	case 189:
		return "USB_LINUX"
	case 192:
		return "PPI"
	case 195:
		return "IEEE802_15_4_WITHFCS"
	case 197:
		return "ERF"
	case 201:
		return "BLUETOOTH_HCI_H4_WITH_PHDR"
	case 220:
		return "USB_LINUX_MMAPPED"
	case 228:
		return "IPV4"
	case 229:
		return "IPV6"
	case 230:
		return "IEEE802_15_4_NOFCS"
	case 231:
		return "DBUS"
	case 239:
		return "NFLOG"
	case 242:
		return "IPOIB"
	case 249:
		return "USBPCAP"
	case 253:
		return "NETLINK"
	case 258:
		return "PKTAP"
	case 271:
		return "VSOCK"
	case 276:
		return "LINUX_SLL2"
	default:
		return ""
	}
}
