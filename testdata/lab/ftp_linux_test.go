package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ftp serves files and listings: each from a port of its own, or from port 20
// to where the client says, be that the client's own address or not.
func (s *site) ftp(c net.Conn) {
	say := func(line string) { _, _ = io.WriteString(c, line+"\r\n") }
	say("220 (vsFTPd 3.0.3)")
	lines := bufio.NewReader(c)
	var data func() (net.Conn, error)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "PASV":
			l, err := s.listener(s.server, server, 0)
			if err != nil {
				return
			}
			data = func() (net.Conn, error) {
				defer func() { _ = l.Close() }()
				return l.Accept()
			}
			say("227 Entering Passive Mode (" + ftpAddress(l.Addr().(*net.TCPAddr)) + ").")
		case "PORT":
			to, err := ftpEndpoint(rest)
			if err != nil {
				say("501 " + err.Error())
				continue
			}
			data = func() (net.Conn, error) { return s.fromPort20(to) }
			say("200 PORT command successful.")
		case "RETR", "LIST":
			if data == nil {
				return
			}
			out, err := data()
			if err != nil {
				say("425 Failed to establish connection.")
				continue
			}
			say("150 Opening data connection.")
			_, _ = out.Write(make([]byte, 3000))
			_ = out.Close()
			say("226 Transfer complete.")
		case "QUIT":
			say("221 Goodbye.")
			return
		default:
			say("230 ok")
		}
	}
}

// fromPort20 connects as an FTP server does.
func (s *site) fromPort20(to string) (c net.Conn, err error) {
	d := net.Dialer{
		Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.ParseIP(server), Port: 20},
		// all data connections leave from the one port
		ControlContext: func(_ context.Context, _, _ string, raw syscall.RawConn) error {
			var set error
			err := raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) })
			return errors.Join(err, set)
		},
	}
	d.SetMultipathTCP(false)
	err = s.server.Do(func() error {
		c, err = d.Dial("tcp4", to)
		return err
	})
	return c, err
}

// ftpAddress is an address as PORT and PASV write it: six numbers.
func ftpAddress(a *net.TCPAddr) string {
	ip := a.IP.To4()
	return fmt.Sprintf("%d,%d,%d,%d,%d,%d", ip[0], ip[1], ip[2], ip[3], a.Port>>8, a.Port&0xff)
}

func ftpEndpoint(text string) (string, error) {
	var ip [4]byte
	var hi, lo int
	if _, err := fmt.Sscanf(text, "%d,%d,%d,%d,%d,%d", &ip[0], &ip[1], &ip[2], &ip[3], &hi, &lo); err != nil {
		return "", err
	}
	return net.JoinHostPort(net.IP(ip[:]).String(), fmt.Sprint(hi<<8|lo)), nil
}

// ftpClient is one who is logged in.
type ftpClient struct {
	*textproto.Conn
	s    *site
	from string
}

func (s *site) login(from string) (*ftpClient, error) {
	c, err := s.client.dial(from, server, 21)
	if err != nil {
		return nil, err
	}
	f := &ftpClient{textproto.NewConn(c), s, from}
	for _, line := range []string{"", "USER anonymous", "PASS guest"} {
		if _, err := f.command(2, line); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return f, nil
}

func (f *ftpClient) command(code int, line string) (string, error) {
	if line != "" {
		if err := f.PrintfLine("%s", line); err != nil {
			return "", err
		}
	}
	_, text, err := f.ReadResponse(code)
	return text, err
}

// passive fetches a file over a connection of its own to a new high port, on
// which the client never says a word.
func (f *ftpClient) passive() error {
	text, err := f.command(227, "PASV")
	if err != nil {
		return err
	}
	to, err := ftpEndpoint(strings.TrimSuffix(strings.TrimPrefix(text, "Entering Passive Mode ("), ")."))
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(to)
	if err != nil {
		return err
	}
	var number int
	if _, err := fmt.Sscan(port, &number); err != nil {
		return err
	}
	data, err := f.s.client.dial(f.from, server, number)
	if err != nil {
		return err
	}
	if _, err := f.command(1, "RETR file"); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, data)
	if err := errors.Join(err, data.Close()); err != nil {
		return err
	}
	_, err = f.command(226, "")
	return err
}

// active fetches a file over a connection that the server makes.
func (f *ftpClient) active() error {
	l, err := f.s.listener(f.s.client, f.from, 0)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	if _, err := f.command(200, "PORT "+ftpAddress(l.Addr().(*net.TCPAddr))); err != nil {
		return err
	}
	if err := f.PrintfLine("RETR file"); err != nil {
		return err
	}
	_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	data, err := l.Accept()
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, data)
	if err := errors.Join(err, data.Close()); err != nil {
		return err
	}
	if _, err := f.command(1, ""); err != nil {
		return err
	}
	_, err = f.command(226, "")
	return err
}

// files is one session in which n files are fetched.
func (s *site) files(from string, n int, fetch func(*ftpClient) error) error {
	f, err := s.login(from)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	for range n {
		if err := fetch(f); err != nil {
			return err
		}
	}
	_, err = f.command(221, "QUIT")
	return err
}
