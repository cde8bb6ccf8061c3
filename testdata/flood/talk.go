package main

// firstTalk is the first number in a turn that is of an ordinary host: its place in
// talks.
const firstTalk = 1 << 24

// talk is an ordinary host that has begun: its conversations one after the other.
type talk struct {
	host    uint32
	left    uint8 // conversations
	server  uint16
	port    uint16 // the server's
	own     uint16
	refused bool // nobody answers this one
}

// servers is how many servers of ours ordinary hosts talk to.
const servers = 1000

// greet begins with the next ordinary host.
func (s *source) greet(at int64) segment {
	t := talk{host: uint32(s.begun), left: uint8(1 + s.rand.IntN(12))}
	s.begun++
	place := uint32(len(s.talks))
	if n := len(s.free); n > 0 {
		place, s.free = s.free[n-1], s.free[:n-1]
		s.talks[place] = t
	} else {
		s.talks = append(s.talks, t)
	}
	return s.speak(turn{at: at, who: firstTalk + place})
}

// speak is the next packet of a conversation: step counts them from 0.
func (s *source) speak(t turn) segment {
	k := &s.talks[t.who-firstTalk]
	if t.step == 0 {
		k.server, k.own = uint16(s.rand.IntN(servers)), uint16(32_768+s.rand.IntN(28_000))
		k.port = [4]uint16{443, 443, 80, 25}[k.server&3]
		k.refused = s.rand.IntN(20) == 0
	}
	up := segment{src: hostAddr(int(k.host)), dst: ourAddr(ourHosts + int(k.server)), srcPort: k.own, dstPort: k.port}
	down := segment{src: up.dst, dst: up.src, srcPort: up.dstPort, dstPort: up.srcPort}
	seg, done := k.packet(t.step, up, down)
	switch {
	case !done:
		s.actors.push(turn{at: t.at + 3_000_000, who: t.who, step: t.step + 1})
	case k.left > 1:
		k.left--
		s.actors.push(turn{at: t.at + 1 + s.rand.Int64N(int64(s.m.span)/20), who: t.who})
	default:
		s.free = append(s.free, t.who-firstTalk)
	}
	return seg
}

// packet is the step-th packet of a conversation, and whether it is the last.
func (k *talk) packet(step uint32, up, down segment) (seg segment, last bool) {
	const ours, theirs = 1000, 5000
	switch step {
	case 0:
		up.seq, up.flags, up.options = ours, syn, true
		return up, k.refused
	case 1:
		down.seq, down.ack, down.flags = theirs, ours+1, syn|ack
		return down, false
	case 2:
		up.seq, up.ack, up.flags, up.payload = ours+1, theirs+1, psh|ack, 300
		return up, false
	case 3:
		down.seq, down.ack, down.flags, down.payload = theirs+1, ours+301, psh|ack, 1200
		return down, false
	case 4:
		up.seq, up.ack, up.flags = ours+301, theirs+1201, fin|ack
		return up, false
	default:
		down.seq, down.ack, down.flags = theirs+1201, ours+302, fin|ack
		return down, true
	}
}
