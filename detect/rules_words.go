package detect

import (
	"slices"
	"strings"
)

// selectorKind groups the selectors of which an attempt has one at most.
type selectorKind string

const (
	kindOutcome   selectorKind = "outcome"
	kindTechnique selectorKind = "technique"
	kindDirection selectorKind = "direction"
)

// The words of each key, in the order in which messages list them. They are
// functions because a slice in a variable could be changed.

func countWords() []string { return []string{"dst_port", "dst", "target", "ip_proto"} }

func byWords() []string { return []string{"src", "dst", "dst_net", "dst_port", "proto"} }

func protoWords() []string {
	return []string{"tcp", "udp", "icmp", "sctp", "arp", "ndp", "ip"}
}

func fromWords() []string { return []string{"home", "external"} }

func windowWords() []string {
	return []string{string(Sliding), string(Tumbling), string(Slow), string(Divided)}
}

func outcomeWords() []string {
	return []string{"silent", "unreachable", "refused", "answered", "productive", "unseen"}
}

func techniqueWords() []string {
	return []string{
		"tcp-syn", "tcp-fin", "tcp-null", "tcp-xmas", "tcp-maimon", "tcp-ack", "udp",
		"icmp-echo", "icmp-timestamp", "icmp-mask", "sctp-init", "sctp-cookie",
		"ip-protocol", "arp", "ndp",
	}
}

func directionWords() []string {
	return []string{string(Inbound), string(Outbound), string(Internal), string(External)}
}

func selectorWords() []string {
	words := []string{
		string(SelectAll), string(SelectConnection), string(SelectUnproductive),
		string(SelectCrafted), "half-open", "abandoned",
	}
	words = append(words, outcomeWords()...)
	words = append(words, techniqueWords()...)
	return append(words, directionWords()...)
}

// kindOf says which kind s is of, "" for one that goes with any other.
func kindOf(s string) selectorKind {
	switch {
	case slices.Contains(outcomeWords(), s):
		return kindOutcome
	case slices.Contains(techniqueWords(), s):
		return kindTechnique
	case slices.Contains(directionWords(), s):
		return kindDirection
	}
	return ""
}

// protoHasPorts says whether targets of a protocol, as the key proto names it, have ports.
func protoHasPorts(proto string) bool {
	return proto == "tcp" || proto == "udp" || proto == "sctp"
}

// anyPorts says whether targets of one of some protocols have ports.
func anyPorts(protos []string) bool { return slices.ContainsFunc(protos, protoHasPorts) }

// techniqueHasPorts says the same of a technique.
func techniqueHasPorts(technique string) bool {
	first, _, _ := strings.Cut(technique, "-")
	return protoHasPorts(first)
}

// closest is the word that a mistyped one most likely means, or "".
func closest(typed string, words []string) string {
	if len(typed) < 2 || len(typed) > 32 {
		return ""
	}
	best, bestAt := "", 3
	if len(typed) <= 4 {
		bestAt = 2 // two slips in four letters are another word
	}
	for _, w := range words {
		if d := slips(strings.ToLower(typed), w); d < bestAt {
			best, bestAt = w, d
		}
	}
	if best != "" {
		return best
	}
	for _, w := range words {
		if len(typed) >= 3 && len(w) >= 3 && (strings.HasPrefix(w, typed) || strings.HasPrefix(typed, w)) {
			return w
		}
	}
	return ""
}

// slips is the number of letters added, dropped, replaced or swapped with
// their neighbour between a and b.
func slips(a, b string) int {
	before := make([]int, len(b)+1)
	last := make([]int, len(b)+1)
	next := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next[0] = i
		for j := 1; j <= len(b); j++ {
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			next[j] = min(last[j]+1, next[j-1]+1, last[j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, last, next = last, next, before
	}
	return last[len(b)]
}
