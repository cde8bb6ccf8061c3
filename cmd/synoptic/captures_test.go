package main

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/synoptic-ids/synoptic/capture"
)

// appendFile is: append FROM TO. It adds to TO what FROM has more.
func appendFile(ts *testscript.TestScript, _ bool, args []string) {
	from, to := []byte(ts.ReadFile(args[0])), []byte(ts.ReadFile(args[1]))
	f, err := os.OpenFile(ts.MkAbs(args[1]), os.O_APPEND|os.O_WRONLY, 0)
	ts.Check(err)
	_, err = f.Write(from[len(to):])
	ts.Check(err)
	ts.Check(f.Close())
}

// patience bounds what a test waits for another program to do.
const patience = time.Minute

// await is: await FILE PATTERN. It waits until there is a line like that.
func await(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile("(?m)" + args[1]) // as grep has it
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if data, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && pattern.Match(data) {
			return
		}
	}
	ts.Fatalf("%s has no line like %s", args[0], args[1])
}

// shift is: shift FROM TO SECONDS. It moves a pcap capture in time.
func shift(ts *testscript.TestScript, _ bool, args []string) {
	seconds, err := strconv.ParseInt(args[2], 10, 64)
	ts.Check(err)
	out, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	w := pcapgo.NewWriterNanos(out)
	ts.Check(w.WriteFileHeader(1<<18, layers.LinkTypeEthernet))
	ts.Check(each(ts.MkAbs(args[0]), func(info gopacket.CaptureInfo, data []byte) error {
		info.Timestamp = info.Timestamp.Add(time.Duration(seconds) * time.Second)
		return w.WritePacket(info, data)
	}))
	ts.Check(out.Close())
}

// weave is: weave A B TO. It writes a capture of two interfaces, each of which
// has seen one of the captures, with their packets in turn.
func weave(ts *testscript.TestScript, _ bool, args []string) {
	var all [2][]func(w *pcapgo.NgWriter) error
	for i := range all {
		ts.Check(each(ts.MkAbs(args[i]), func(info gopacket.CaptureInfo, data []byte) error {
			info.InterfaceIndex = i
			all[i] = append(all[i], func(w *pcapgo.NgWriter) error { return w.WritePacket(info, data) })
			return nil
		}))
	}
	out, err := os.Create(ts.MkAbs(args[2]))
	ts.Check(err)
	w, err := pcapgo.NewNgWriterInterface(out, pcapgo.NgInterface{Name: "a", LinkType: layers.LinkTypeEthernet, TimestampResolution: 9}, pcapgo.NgWriterOptions{})
	ts.Check(err)
	_, err = w.AddInterface(pcapgo.NgInterface{Name: "b", LinkType: layers.LinkTypeEthernet, TimestampResolution: 9})
	ts.Check(err)
	for n := range max(len(all[0]), len(all[1])) {
		for i := range all {
			if n < len(all[i]) {
				ts.Check(all[i][n](w))
			}
		}
	}
	ts.Check(w.Flush())
	ts.Check(out.Close())
}

// drops is: drops FROM TO N. It adds what an interface says it lost, part of it
// within itself and part of it in the system.
func drops(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.ParseUint(args[2], 10, 64)
	ts.Check(err)
	le := binary.LittleEndian
	block := make([]byte, 20, 52)
	le.PutUint32(block, 5)      // interface statistics
	le.PutUint32(block[4:], 52) // of interface 0, at no time
	for code, drops := range map[uint16]uint64{5: n / 3, 7: n - n/3} {
		block = le.AppendUint16(block, code)
		block = le.AppendUint16(block, 8)
		block = le.AppendUint64(block, drops)
	}
	block = le.AppendUint32(append(block, 0, 0, 0, 0), 52)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), append([]byte(ts.ReadFile(args[0])), block...), 0o600))
}

// each gives a copy of each packet of a capture to a function.
func each(name string, do func(info gopacket.CaptureInfo, data []byte) error) error {
	src, err := capture.Open(name, capture.Config{})
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	packets := capture.ToGopacket(src).(gopacket.PacketDataSource)
	for {
		data, info, err := packets.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := do(info, data); err != nil {
			return err
		}
	}
}
