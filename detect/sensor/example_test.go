package sensor_test

import (
	"context"
	"fmt"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/flows"
)

// A sensor reads a capture and reports each scan as it opens, grows and
// closes.
func Example() {
	s, err := sensor.New(sensor.Config{
		OnScan: func(s detect.Scan) {
			if s.Phase == detect.Close {
				fmt.Println(s.Src, s.Shape, s.Technique, s.Dst, s.Ports, "ports,", s.Verdict)
				for _, a := range s.Answered {
					fmt.Println("  answered:", a.Port)
				}
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	source, err := capture.Open("../../testdata/captures/syn-vertical.pcap", capture.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = source.Close() }()
	summary, err := s.Run(context.Background(), source)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(summary.Capture.Dropped, "packets lost before the capture was written")
	// Output:
	// 203.0.113.250 vertical tcp-syn 198.51.100.10 200 ports, answered
	//   answered: 22
	//   answered: 80
	//   answered: 139
	// 0 packets lost before the capture was written
}

// The attempts that scans are made of can be had as well, each with what came
// of it.
func Example_attempts() {
	outcomes := map[string]int{}
	s, err := sensor.New(sensor.Config{
		OnAttempt: func(a flows.Attempt) {
			if a.Class == flows.ClassTCP {
				outcomes[detect.OutcomeName(a.Outcome)]++
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	source, err := capture.Open("../../testdata/captures/connect-vertical.pcap", capture.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = source.Close() }()
	if _, err := s.Run(context.Background(), source); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(outcomes["refused"], "refused,", outcomes["answered"], "answered")
	// Output: 98 refused, 2 answered
}
