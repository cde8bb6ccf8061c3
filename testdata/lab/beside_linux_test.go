package lab

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// neighbour is a client that goes about its business while a scan runs.
const neighbour = "198.51.100.20"

// beside is the ordinary traffic beside a scan: a ping, a question, and in turn
// a page, a shell or a file.
func beside(s *site, turn int) error {
	errs := []error{echo(s.client, neighbour, server, uint16(turn)), ask(s.client, neighbour, server, uint16(turn))}
	switch turn % 3 {
	case 0:
		errs = append(errs, s.fetch(neighbour, server, "/"))
	case 1:
		errs = append(errs, s.shell(neighbour))
	case 2:
		errs = append(errs, s.files(neighbour, 1, (*ftpClient).passive))
	}
	return errors.Join(errs...)
}

// shell opens a connection on which the server speaks first, as SSH does.
func (s *site) shell(from string) error {
	c, err := s.client.dial(from, server, 22)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	lines := bufio.NewReader(c)
	if _, err := lines.ReadString('\n'); err != nil {
		return fmt.Errorf("the banner: %w", err)
	}
	if _, err := io.WriteString(c, "SSH-2.0-PuTTY_Release_0.78\r\n"); err != nil {
		return err
	}
	// until the server ends it
	_, err = lines.ReadByte()
	if errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("want the end of the connection, have %w", err)
}
