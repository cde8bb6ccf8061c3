package lab

// known are the scenarios of which something wrong is said, and what. One that
// is right must be taken out.
func known() map[string]string {
	return map[string]string{}
}

// anonymous are the scenarios whose probes bear no mark of their tool: those of
// the operating system, and those whose marks are too few.
func anonymous() []string {
	return []string{
		"nmap-connect", "nmap-ipv6-connect", "nmap-inside", "nmap-delay", "nmap-bounce", "nmap-bounce-refused", "connect-close",
		"nmap-arp", "nmap-ndp", "nmap-ping-ipv6", "nmap-ipv6-udp", "nmap-fragments2", "masscan-ping", "masscan-udp", "hping3-udp",
	}
}
