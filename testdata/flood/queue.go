package main

// turn is when an actor sends its next packet, and which of its packets that is.
type turn struct {
	at   int64
	who  uint32 // a scanner's number, or firstTalk and more
	step uint32
}

func (t turn) before(o turn) bool { return t.at < o.at || t.at == o.at && t.who < o.who }

// queue is a heap of turns, the first on top.
type queue []turn

// first is when the first turn comes.
func (q queue) first() int64 {
	if len(q) == 0 {
		return never
	}
	return q[0].at
}

func (q *queue) push(t turn) {
	h := append(*q, t)
	i := len(h) - 1
	for i > 0 && t.before(h[(i-1)/2]) {
		h[i] = h[(i-1)/2]
		i = (i - 1) / 2
	}
	h[i] = t
	*q = h
}

func (q *queue) pop() turn {
	h := *q
	top, t := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	*q = h
	if len(h) == 0 {
		return top
	}
	i := 0
	for {
		c := 2*i + 1
		if c >= len(h) {
			break
		}
		if c+1 < len(h) && h[c+1].before(h[c]) {
			c++
		}
		if !h[c].before(t) {
			break
		}
		h[i] = h[c]
		i = c
	}
	h[i] = t
	return top
}
