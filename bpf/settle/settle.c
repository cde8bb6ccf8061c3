//go:build ignore

// A filter of packet sockets that drops what flows.Settled would pass over: segments
// of TCP conversations in which both sides have sent payload, and each has been heard
// after the other's. Whatever has SYN, FIN or RST comes through and begins the
// conversation anew, and so does all that is not understood here.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "Dual MIT/GPL";

#define BUCKETS (1 << 16)
#define WAYS 4
#define FTP_CONTROL 21
#define FLAGS_THAT_MATTER 0x07 /* FIN, SYN, RST */
#define MOST_EXTENSIONS 4
#define IPPROTO_HOPOPTS 0
#define IPPROTO_ROUTING 43
#define IPPROTO_FRAGMENT 44
#define IPPROTO_DSTOPTS 60

/* Set before the program is loaded. */
volatile const __u32 snap_length = 192;
volatile const __u64 keys[23] = {1};
/* A settled conversation is heard of that often all the same, so that who reads the
 * packets knows what time it is; nanoseconds. */
volatile const __u64 tell = 50000000;

/* A slot is 0, or 60 bits of a hash of the conversation and four bits of what was
 * seen. It changes as a whole or not at all, so that two processors cannot mix up
 * two conversations. */
#define PAYLOAD 1ULL /* << 0 or 1: that side sent payload */
#define HEARD 4ULL   /* << 0 or 1: that side was heard after the other's payload */
#define ALL 15ULL

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BUCKETS * WAYS);
	__type(key, __u32);
	__type(value, __u64);
} conversations SEC(".maps");

/* What a processor counts, in a cache line of its own. */
struct count {
	__u64 packets;
	__u64 bytes;
	__u64 unused[6];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* set to the number of processors */
	__type(key, __u32);
	__type(value, struct count);
} counts SEC(".maps");

struct state {
	__u64 generation; /* written by user space: what was seen under another is forgotten */
	__u64 passed;     /* when a packet that could have been dropped was let through */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct state);
} states SEC(".maps");

struct segment {
	__u32 addresses[8]; /* from, to; as they are on the wire, like all that is hashed */
	__u16 ports[2];
	__u8 flags;
	__u8 fragment;
	__u32 payload;
};

/* half is multilinear (Lemire and Kaser 2014): with keys that nobody knows, two inputs share
 * 32 bits by chance only, whoever chooses them. */
static __always_inline __u64 half(const __u32 *address, __u32 port, int at)
{
	__u64 sum = keys[at] + keys[at + 1] * address[0] + keys[at + 2] * address[1];
	return (sum + keys[at + 3] * address[2] + keys[at + 4] * address[3] + keys[at + 5] * port) >> 32;
}

static __always_inline __u64 end(const __u32 *address, __u32 port)
{
	return half(address, port, 0) << 32 | half(address, port, 6);
}

/* both hashes two ends, each hashed by itself, the greater one first. */
static __always_inline __u64 both(__u64 a, __u64 b)
{
	__u64 high = keys[12] + keys[13] * (__u32)a + keys[14] * (a >> 32) + keys[15] * (__u32)b + keys[16] * (b >> 32);
	__u64 low = keys[17] + keys[18] * (__u32)a + keys[19] * (a >> 32) + keys[20] * (__u32)b + keys[21] * (b >> 32);
	return (high >> 32) << 32 | low >> 32;
}

static __always_inline int tcp(struct __sk_buff *skb, struct segment *s, __u32 at, __u32 size)
{
	struct {
		__u16 ports[2];
		__u32 numbers[2];
		__u8 offset, flags;
	} h;
	if (bpf_skb_load_bytes(skb, at, &h, 14) < 0)
		return 0;
	s->ports[0] = h.ports[0];
	s->ports[1] = h.ports[1];
	__u32 header = (h.offset >> 4) * 4;
	if (header < 20)
		header = 20;
	s->flags = h.flags;
	s->payload = size > header;
	return 1;
}

static __always_inline int ipv4(struct __sk_buff *skb, struct segment *s)
{
	struct {
		__u8 version, service;
		__be16 size, number, fragment;
		__u8 life, proto;
		__u16 sum;
		__u32 from, to;
	} h;
	if (bpf_skb_load_bytes(skb, ETH_HLEN, &h, 20) < 0)
		return 0;
	__u32 header = (h.version & 15) * 4, size = bpf_ntohs(h.size);
	if (h.version >> 4 != 4 || header < 20 || h.proto != IPPROTO_TCP)
		return 0;
	if (h.fragment & bpf_htons(0x1fff))
		return 0; /* not the first fragment, which matters not */
	s->fragment = !!(h.fragment & bpf_htons(0x2000));
	s->addresses[3] = h.from;
	s->addresses[7] = h.to;
	return tcp(skb, s, ETH_HLEN + header, size > header ? size - header : 0);
}

static __always_inline int ipv6(struct __sk_buff *skb, struct segment *s)
{
	struct {
		__u8 version, flow[3];
		__be16 size;
		__u8 next, life;
	} h;
	if (bpf_skb_load_bytes(skb, ETH_HLEN, &h, 8) < 0 || h.version >> 4 != 6)
		return 0;
	if (bpf_skb_load_bytes(skb, ETH_HLEN + 8, s->addresses, 32) < 0)
		return 0;
	__u32 at = ETH_HLEN + 40, last = at + bpf_ntohs(h.size);
	__u8 next = h.next;
	for (int i = 0; i < MOST_EXTENSIONS && next != IPPROTO_TCP; i++) {
		struct {
			__u8 next, length;
			__be16 offset;
		} e;
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS && next != IPPROTO_FRAGMENT)
			return 0;
		if (bpf_skb_load_bytes(skb, at, &e, 4) < 0)
			return 0;
		if (next == IPPROTO_FRAGMENT) {
			if (e.offset & bpf_htons(0xfff8))
				return 0;
			s->fragment = 1;
			e.length = 0;
		}
		next = e.next;
		at += (e.length + 1) * 8;
	}
	return next == IPPROTO_TCP && tcp(skb, s, at, last > at ? last - at : 0);
}

/* parse reads a segment, if the frame is one. It is checked by itself, as drops is: together
 * they would be more than the verifier takes from who has CAP_BPF and no more. */
__noinline int parse(struct __sk_buff *skb, struct segment *s)
{
	__u8 link[ETH_HLEN];
	if (!s || bpf_skb_load_bytes(skb, 0, link, sizeof link) < 0 || link[0] & 1)
		return 0;
	__u16 type = (__u16)link[12] << 8 | link[13];
	if (type == ETH_P_IP)
		return ipv4(skb, s);
	if (type == ETH_P_IPV6)
		return ipv6(skb, s);
	return 0;
}

/* What drops is to know of a segment. */
#define SIDE 1    /* which side sent it */
#define DATA 2    /* it has payload */
#define MATTERS 4 /* it begins the conversation anew */

/* drops says whether a segment is one that nobody needs. */
__noinline int drops(__u64 hash, __u32 what)
{
	__u32 zero = 0;
	struct state *state = bpf_map_lookup_elem(&states, &zero);
	if (!state)
		return 0;
	__u64 tag = (hash + state->generation * keys[22]) & ~ALL;
	__u32 first = (tag >> 4) % BUCKETS * WAYS;
	/* The conversation's slot; or one that is free; or that of one which other bits of
	 * the hash choose. */
	__u32 place = first + (tag >> 62);
	int found = 0;
#pragma unroll
	for (__u32 i = 0; i < WAYS; i++) {
		__u32 at = first + i;
		__u64 *slot = bpf_map_lookup_elem(&conversations, &at);
		if (!slot)
			return 0;
		__u64 value = *(volatile __u64 *)slot;
		if ((value & ~ALL) == tag) {
			if (what & MATTERS) /* all of them: two processors may have begun it at once */
				__sync_lock_test_and_set(slot, 0);
			place = at;
			found = 1;
		} else if (value == 0 && !found) {
			place = at;
		}
	}
	if (what & MATTERS)
		return 0;
	__u64 *slot = bpf_map_lookup_elem(&conversations, &place);
	if (!slot)
		return 0;
	__u64 seen = *(volatile __u64 *)slot;
	__u64 want = (seen & ~ALL) == tag ? seen : tag;
	if ((want & ALL) == ALL) {
		__u64 now = bpf_ktime_get_coarse_ns();
		if (now - state->passed < tell)
			return 1;
		state->passed = now;
		return 0;
	}
	__u32 side = what & SIDE;
	if (what & DATA)
		want |= PAYLOAD << side;
	if (want & PAYLOAD << (1 - side))
		want |= HEARD << side;
	if (want != seen)
		__sync_val_compare_and_swap(slot, seen, want);
	return 0;
}

/* needless says whether a packet is a segment that nobody needs. */
static __always_inline int needless(struct __sk_buff *skb)
{
	struct segment s = {};
	if (!parse(skb, &s))
		return 0;
	if (s.ports[0] == bpf_htons(FTP_CONTROL) || s.ports[1] == bpf_htons(FTP_CONTROL))
		return 0;
	__u64 from = end(s.addresses, s.ports[0]), to = end(s.addresses + 4, s.ports[1]);
	__u32 what = 0;
	if (s.payload)
		what |= DATA;
	if (s.flags & FLAGS_THAT_MATTER || s.fragment)
		what |= MATTERS;
	if (from < to)
		return drops(both(to, from), what | SIDE);
	return drops(both(from, to), what);
}

SEC("socket")
int settle(struct __sk_buff *skb)
{
	if (!needless(skb))
		return snap_length;
	__u32 cpu = bpf_get_smp_processor_id();
	struct count *count = bpf_map_lookup_elem(&counts, &cpu);
	if (!count)
		return snap_length;
	__sync_fetch_and_add(&count->packets, 1);
	__u32 kept = skb->len < snap_length ? skb->len : snap_length;
	__sync_fetch_and_add(&count->bytes, kept);
	return 0;
}
