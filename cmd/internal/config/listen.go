package config

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
)

// loopback is where metrics are told if nothing else is said: on this machine only.
const loopback = "127.0.0.1"

// listen reads the address to tell metrics on; empty: none.
func listen(s Settings) (string, error) {
	if s.Listen == "" {
		if s.Profiling {
			return "", exit.With(exit.Usage, fmt.Errorf("--pprof needs --listen"), "profiles are told by HTTP: --listen 9311 --pprof")
		}
		return "", nil
	}
	value := s.Listen
	if !strings.Contains(value, ":") {
		value = ":" + value
	}
	host, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return "", exit.With(exit.Usage, fmt.Errorf("--listen %q is no port and no address with a port", s.Listen),
			"write 9311 for this machine only, or an address of it as 192.0.2.1:9311 or [2001:db8::1]:9311")
	}
	if host == "" {
		host = loopback
	}
	return net.JoinHostPort(host, port), nil
}
