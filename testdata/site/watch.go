package site

import (
	"math/rand/v2"
	"time"
)

// watchActivities are hosts whose role is to see who is there, of which many are not.
func watchActivities() []activity {
	return []activity{
		{"rack-down", (*Site).rackDown},
		{"desks-off", (*Site).desksOff},
		{"segment-poller", (*Site).segmentPoller},
		{"balancer-drained", (*Site).balancerDrained},
	}
}

// rackDown is a monitor that pings sixty hosts a minute. At nine a switch dies, and
// twenty of them are gone for half an hour.
func (s *Site) rackDown(r *rand.Rand) {
	from := s.server(36)
	s.every(r, time.Minute, time.Second, func(t int64) {
		for i := range 60 {
			at := t + int64(i)*int64(900*time.Millisecond)
			s.ping(at, from, s.ip4(10, 20, 12, 1+i), i%3 != 0 || !hours(at, "09:00", "09:30"))
		}
	})
}

// desksOff is a program that pings every desk each quarter of an hour. In the evening
// one after the other is switched off.
func (s *Site) desksOff(r *rand.Rand) {
	from := s.server(37)
	off := make([]int64, 100)
	for i := range off {
		off[i] = timeOf("16:00") + upTo(r, 4*time.Hour)
	}
	s.every(r, 15*time.Minute, time.Second, func(t int64) {
		for i := range off {
			at := t + int64(i)*int64(500*time.Millisecond)
			s.ping(at, from, s.desk(i), at < off[i])
		}
	})
}

// segmentPoller is a poller on one link with its forty devices: it asks for the link
// address of each before it asks the device. The answers to that are not seen, nor are
// there any of the fourteen that are away since the morning, one after the other.
func (s *Site) segmentPoller(r *rand.Rand) {
	from := s.ip4(10, 20, 6, 250)
	s.every(r, 5*time.Minute, time.Second, func(t int64) {
		port := from.ephemeral()
		for i := range 40 {
			to, at := s.ip4(10, 20, 6, 1+i), t+int64(i)*int64(300*time.Millisecond)
			away := i%3 == 1 && t > timeOf("08:00")+int64(i)*int64(2*time.Minute)
			s.arp(at, from, to, false)
			if away {
				s.arp(at+int64(time.Second), from, to, false)
				s.arp(at+int64(2*time.Second), from, to, false)
				continue
			}
			s.askSNMP(at+1_000_000, from, to, port, true)
		}
	})
}

// balancerDrained is a load balancer of sixteen backends that are taken out of service
// four at a time, to be renewed.
func (s *Site) balancerDrained(r *rand.Rand) {
	from := s.server(38)
	s.every(r, 10*time.Second, time.Second, func(t int64) {
		turn := int((t - timeOf("09:00")) / int64(4*time.Minute))
		for i := range 16 {
			c := s.dial(t+int64(i)*1_000_000, from, s.ip4(10, 20, 13, 1+i), 8080)
			if t >= timeOf("09:00") && i/4 == turn {
				c.refused()
				continue
			}
			c.open().ask("GET /health HTTP/1.0\r\n\r\n", 0, "HTTP/1.0 200 OK\r\n\r\n", 0).shut(server)
		}
	})
}
