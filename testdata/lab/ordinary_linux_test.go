package lab

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// ordinaryRuns are the runs without a scan.
func ordinaryRuns() map[string]run {
	runs := map[string]run{}
	for name, traffic := range map[string]func(*site) error{
		"web": webTraffic, "dns": dnsTraffic, "ftp-passive": ftpTraffic, "monitor": monitorTraffic,
		"ftp-active": activeTraffic, "backup": backupTraffic, "mail": mailTraffic, "browser": browserTraffic, "retries": retryTraffic,
	} {
		runs[name] = run{"lan", func(t *testing.T, s *site) { require.NoError(t, traffic(s)) }}
	}
	return runs
}

const patience = 1500 * time.Millisecond

// together calls f for 0 to n-1, eight at a time, and returns all errors.
func together(n int, f func(i int) error) error {
	errs := make([]error, n)
	var workers sync.WaitGroup
	turns := make(chan int)
	for range 8 {
		workers.Go(func() {
			for i := range turns {
				errs[i] = f(i)
			}
		})
	}
	for i := range n {
		turns <- i
	}
	close(turns)
	workers.Wait()
	return errors.Join(errs...)
}

// dial connects from an address of a namespace.
func (n *namespace) dial(from, to string, port int) (net.Conn, error) {
	return n.dialWithin(patience, from, to, port)
}

func (n *namespace) dialWithin(limit time.Duration, from, to string, port int) (c net.Conn, err error) {
	d := net.Dialer{Timeout: limit, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	d.SetMultipathTCP(false)
	err = n.Do(func() error {
		c, err = d.Dial("tcp", net.JoinHostPort(to, fmt.Sprint(port)))
		return err
	})
	if err == nil {
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	}
	return c, err
}

// unreached reports whether err is what a dead or closed host gives.
func unreached(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout() ||
		errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.EHOSTUNREACH)
}

// fetch gets a page, or with an empty path opens a connection in vain, as
// browsers do in advance.
func (s *site) fetch(from, host, path string) error {
	c, err := s.client.dial(from, host, 80)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if path == "" {
		return nil
	}
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: www.example\r\nConnection: close\r\n\r\n", path); err != nil {
		return err
	}
	page, err := io.ReadAll(c)
	if err == nil && !strings.Contains(string(page), "all is well") {
		err = errors.New("wrong page")
	}
	return err
}

// webTraffic is a hundred connections of twenty clients; every eighth is
// never used.
func webTraffic(s *site) error { return pages(s, 100) }

func pages(s *site, n int) error {
	return together(n, func(i int) error {
		path := "/"
		if i%8 == 7 {
			path = ""
		}
		return s.fetch(fmt.Sprintf("198.51.100.%d", 10+i%20), server, path)
	})
}

// ask sends one DNS-like question from a new port and takes the answer.
func ask(n *namespace, from, to string, id uint16) error {
	var c *net.UDPConn
	err := n.Do(func() (err error) {
		c, err = net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP(from)}, &net.UDPAddr{IP: net.ParseIP(to), Port: 53})
		return err
	})
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	query := append(binary.BigEndian.AppendUint16(nil, id), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0)
	query = append(query, "\x03www\x07example\x00\x00\x01\x00\x01"...)
	if _, err := c.Write(query); err != nil {
		return err
	}
	_ = c.SetReadDeadline(time.Now().Add(patience))
	_, err = c.Read(make([]byte, 512))
	return err
}

// dnsTraffic is 300 questions from as many ports of ten clients, and a
// resolver's own to five upstream servers, one of which is down.
func dnsTraffic(s *site) error { return questions(s, 400) }

func questions(s *site, n int) error {
	return together(n, func(i int) error {
		if i%4 != 0 {
			return ask(s.client, fmt.Sprintf("198.51.100.%d", 10+i%10), server, uint16(i))
		}
		upstream := i / 4 % 5
		err := ask(s.office, "192.0.2.5", fmt.Sprintf("198.51.100.%d", 10+upstream), uint16(i))
		if upstream == 4 && unreached(err) {
			return nil
		}
		return err
	})
}

// ftpTraffic is one client that fetches forty files.
func ftpTraffic(s *site) error { return s.files("198.51.100.10", 40, (*ftpClient).passive) }

// activeTraffic is the same the other way round: the server connects to twelve
// high ports of its client.
func activeTraffic(s *site) error { return s.files("198.51.100.10", 12, (*ftpClient).active) }

// transfer sends a line to a port and takes at least size bytes.
func transfer(n *namespace, from, to string, port int, line string, size int) error {
	c, err := n.dial(from, to, port)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, line); err != nil {
		return err
	}
	_, err = io.ReadFull(c, make([]byte, size))
	return err
}

// echo sends one echo request and waits for its reply.
func echo(n *namespace, from, to string, seq uint16) error {
	var c net.PacketConn
	err := n.Do(func() (err error) {
		c, err = net.ListenPacket("ip4:icmp", from)
		return err
	})
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	request := binary.BigEndian.AppendUint16([]byte{8, 0, 0, 0, 0x4d, 0x01}, seq)
	var sum uint32
	for i := 0; i < len(request); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(request[i:]))
	}
	binary.BigEndian.PutUint16(request[2:], ^uint16(sum+sum>>16))
	if _, err := c.WriteTo(request, &net.IPAddr{IP: net.ParseIP(to)}); err != nil {
		return err
	}
	_ = c.SetReadDeadline(time.Now().Add(patience / 3))
	b := make([]byte, 512)
	for {
		size, who, err := c.ReadFrom(b)
		if err != nil {
			return err
		}
		if who.String() == to && size >= 8 && b[0] == 0 && binary.BigEndian.Uint16(b[6:]) == seq {
			return nil
		}
	}
}

// monitorTraffic polls fourteen hosts by ping and by a connection, three
// times; two of them are down.
func monitorTraffic(s *site) error {
	for round := range 3 {
		for _, last := range []int{98, 99, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43} {
			host := fmt.Sprintf("192.0.2.%d", last)
			err := echo(s.office, "192.0.2.5", host, uint16(round<<8|last))
			if err == nil {
				err = transfer(s.office, "192.0.2.5", host, 873, "status\n", 100)
			}
			if err != nil && (last < 90 || !unreached(err)) {
				return fmt.Errorf("poll %s: %w", host, err)
			}
		}
	}
	return nil
}

// backupTraffic walks one port of twelve hosts in order, and of one that is
// down.
func backupTraffic(s *site) error {
	for n := 32; n <= 43; n++ {
		if err := transfer(s.office, "192.0.2.5", fmt.Sprintf("192.0.2.%d", n), 873, "all\n", 20_000); err != nil {
			return err
		}
	}
	if err := transfer(s.office, "192.0.2.5", "192.0.2.99", 873, "all\n", 1); !unreached(err) {
		return fmt.Errorf("a host that is not there: %w", err)
	}
	return nil
}

// mailTraffic delivers to 66 hosts, in no order, of which twelve refuse and
// six do not exist.
func mailTraffic(s *site) error {
	return together(66, func(i int) error {
		n := 10 + i*7%66
		err := deliver(s.office, "192.0.2.5", fmt.Sprintf("198.51.100.%d", n))
		if n >= 58 && unreached(err) {
			return nil
		}
		return err
	})
}

func deliver(n *namespace, from, to string) error {
	c, err := n.dial(from, to, 25)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	lines := bufio.NewReader(c)
	for _, step := range []string{
		"", "EHLO mail.example\r\n", "MAIL FROM:<a@mail.example>\r\n", "RCPT TO:<b@mail.example>\r\n", "DATA\r\n",
		"Subject: minutes\r\n\r\n" + strings.Repeat("as agreed\r\n", 50) + ".\r\n", "QUIT\r\n",
	} {
		if _, err := io.WriteString(c, step); err != nil {
			return err
		}
		if _, err := lines.ReadString('\n'); err != nil {
			return err
		}
	}
	return nil
}

// browserTraffic is a client whose pages fail over IPv6 and whose QUIC is not
// answered, and that falls back each time.
func browserTraffic(s *site) error {
	for range 15 {
		if c, err := s.client.dial("2001:db8:c1::10", "2001:db8:10::20", 80); err == nil {
			_ = c.Close()
			return errors.New("an answer from a closed port")
		}
		var quic net.Conn
		err := s.client.Do(func() (err error) {
			quic, err = net.Dial("udp", server+":443")
			return err
		})
		if err != nil {
			return err
		}
		_, _ = quic.Write(make([]byte, 1200))
		_ = quic.Close()
		if err := s.fetch("198.51.100.10", server, "/"); err != nil {
			return err
		}
	}
	return nil
}

// retryTraffic is a client that keeps trying a server that is down, and one
// that refuses.
func retryTraffic(s *site) error {
	for range 20 {
		for _, host := range []string{quiet, "192.0.2.99"} {
			if _, err := s.client.dialWithin(patience/10, "198.51.100.12", host, 443); !unreached(err) {
				return fmt.Errorf("%s: %w", host, err)
			}
		}
	}
	return nil
}
