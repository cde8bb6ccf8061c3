package lab

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// serve starts what listens at the site, until the test ends.
func (s *site) serve() {
	s.t.Helper()
	for _, host := range []string{server, server6} {
		s.listen(s.server, host, 21, s.ftp)
		s.listen(s.server, host, 22, greet("SSH-2.0-OpenSSH_9.2\r\n"))
		s.listen(s.server, host, 25, mail)
		s.listen(s.server, host, 53, greet(""))
		s.web(s.server, host)
	}
	s.udp(s.server, server, 53, true)
	for port := 60; port < 65; port++ {
		s.udp(s.quiet, quiet, port, false)
	}
	for n := 32; n <= 43; n++ {
		host := fmt.Sprintf("192.0.2.%d", n)
		s.listen(s.farm, host, 873, copies)
		if n <= 35 {
			s.listen(s.farm, host, 22, greet("SSH-2.0-OpenSSH_9.2\r\n"))
		}
	}
	for n := 10; n < 58; n++ {
		s.listen(s.client, fmt.Sprintf("198.51.100.%d", n), 25, mail)
	}
	for n := 10; n < 14; n++ {
		s.udp(s.client, fmt.Sprintf("198.51.100.%d", n), 53, true)
	}
}

// listener opens a TCP port in a namespace.
func (s *site) listener(n *namespace, host string, port int) (l net.Listener, err error) {
	var config net.ListenConfig
	config.SetMultipathTCP(false)
	err = n.Do(func() error {
		l, err = config.Listen(s.t.Context(), "tcp", net.JoinHostPort(host, fmt.Sprint(port)))
		return err
	})
	return l, err
}

// listen serves a TCP port, each connection by itself, within ten seconds.
func (s *site) listen(n *namespace, host string, port int, handle func(net.Conn)) {
	s.t.Helper()
	l, err := s.listener(n, host, port)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(10 * time.Second))
			go func() {
				defer func() { _ = c.Close() }()
				handle(c)
			}()
		}
	}()
}

func (s *site) web(n *namespace, host string) {
	s.t.Helper()
	l, err := s.listener(n, host, 80)
	require.NoError(s.t, err)
	page := []byte(strings.Repeat("<p>all is well</p>\n", 200))
	short := page[:100]
	web := &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ProtoAtLeast(1, 1) {
				_, _ = w.Write(page)
				return
			}
			_, _ = w.Write(short)
		}),
	}
	s.t.Cleanup(func() { _ = web.Close() })
	go func() { _ = web.Serve(l) }()
}

// udp serves a UDP port like a name server, or takes what comes and says
// nothing.
func (s *site) udp(n *namespace, host string, port int, answers bool) {
	s.t.Helper()
	var c net.PacketConn
	require.NoError(s.t, n.Do(func() (err error) {
		c, err = net.ListenPacket("udp", net.JoinHostPort(host, fmt.Sprint(port)))
		return err
	}))
	s.t.Cleanup(func() { _ = c.Close() })
	go func() {
		b := make([]byte, 2048)
		for {
			size, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			if answers && size >= 12 {
				b[2] |= 0x80
				_, _ = c.WriteTo(b[:size], from)
			}
		}
	}()
}

// greet says a line, reads one and ends.
func greet(banner string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, banner)
		_, _ = bufio.NewReader(c).ReadString('\n')
	}
}

// mail takes messages.
func mail(c net.Conn) {
	_, _ = io.WriteString(c, "220 mail.example ESMTP Postfix\r\n")
	lines := bufio.NewReader(c)
	for inside := false; ; {
		line, err := lines.ReadString('\n')
		switch {
		case err != nil:
			return
		case inside && line != ".\r\n":
			continue
		case strings.HasPrefix(line, "QUIT"):
			_, _ = io.WriteString(c, "221 bye\r\n")
			return
		}
		inside = strings.HasPrefix(line, "DATA")
		answer := "250 ok\r\n"
		if inside {
			answer = "354 go ahead\r\n"
		}
		_, _ = io.WriteString(c, answer)
	}
}

// copies sends 20 KB for each line it is sent.
func copies(c net.Conn) {
	lines := bufio.NewReader(c)
	block := bytes.Repeat([]byte{0x5a}, 20_000)
	for {
		if _, err := lines.ReadString('\n'); err != nil {
			return
		}
		_, _ = c.Write(block)
	}
}
