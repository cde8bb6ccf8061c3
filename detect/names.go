package detect

import "github.com/synoptic-ids/synoptic/flows"

// techniqueNames are the words for techniques in rules and records.
func techniqueName(t flows.Technique) string {
	switch t {
	case flows.TCPSYN:
		return "tcp-syn"
	case flows.TCPFIN:
		return "tcp-fin"
	case flows.TCPNull:
		return "tcp-null"
	case flows.TCPXmas:
		return "tcp-xmas"
	case flows.TCPMaimon:
		return "tcp-maimon"
	case flows.TCPACK:
		return "tcp-ack"
	case flows.UDP:
		return "udp"
	case flows.ICMPEcho:
		return "icmp-echo"
	case flows.ICMPTimestamp:
		return "icmp-timestamp"
	case flows.ICMPMask:
		return "icmp-mask"
	case flows.SCTPInit:
		return "sctp-init"
	case flows.SCTPCookie:
		return "sctp-cookie"
	case flows.IPProtocol:
		return "ip-protocol"
	case flows.ARP:
		return "arp"
	case flows.NDP:
		return "ndp"
	default:
		return "unknown"
	}
}

func techniqueNamed(name string) (flows.Technique, bool) {
	for t := flows.TCPSYN; t <= flows.NDP; t++ {
		if techniqueName(t) == name {
			return t, true
		}
	}
	return 0, false
}

func outcomeNamed(name string) (flows.Outcome, bool) {
	for o := flows.Silent; o <= flows.Unseen; o++ {
		if OutcomeName(o) == name && o != flows.Expired {
			return o, true
		}
	}
	return 0, false
}

// OutcomeName is the word for an outcome in rules and records.
func OutcomeName(o flows.Outcome) string {
	switch o {
	case flows.Silent:
		return "silent"
	case flows.Unreachable:
		return "unreachable"
	case flows.Refused:
		return "refused"
	case flows.Answered:
		return "answered"
	case flows.Productive:
		return "productive"
	case flows.Expired:
		return "expired"
	default:
		return "unseen"
	}
}

// TechniqueName is the word for the technique of an attempt. A TCP attempt
// whose handshake was completed is a connect.
func TechniqueName(a *flows.Attempt) string {
	if a.Technique == flows.TCPSYN && a.Handshake {
		return "tcp-connect"
	}
	return techniqueName(a.Technique)
}

// ProtoName is the word for the protocol of a class of targets.
func ProtoName(c flows.Class) string {
	switch c {
	case flows.ClassTCP:
		return "tcp"
	case flows.ClassUDP:
		return "udp"
	case flows.ClassEcho, flows.ClassTimestamp, flows.ClassMask:
		return "icmp"
	case flows.ClassSCTP:
		return "sctp"
	case flows.ClassARP:
		return "arp"
	case flows.ClassNDP:
		return "ndp"
	default:
		return "ip"
	}
}
