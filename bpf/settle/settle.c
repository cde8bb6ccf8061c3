//go:build ignore

// A filter of packet sockets that drops what flows.Settled would pass over: segments
// of TCP conversations in which both sides have sent payload, and each has been heard
// after the other's. Whatever has SYN, FIN or RST comes through and begins the
// conversation anew, and so does all that is not understood here.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
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
volatile const __u64 keys[21] = {1};
/* A settled conversation is heard of that often all the same, so that who reads the
 * packets knows what time it is; nanoseconds. */
volatile const __u64 tell = 50000000;

/* A slot is 0, or 60 bits of a hash of the conversation and four bits of what was
 * seen. It changes as a whole or not at all, so that two processors cannot mix up
 * two conversations. */
#define PAYLOAD 1ULL /* << 0 or 1: that side sent payload */
#define HEARD 4ULL   /* << 0 or 1: that side was heard after the other's payload */
#define ALL 15ULL

struct bucket {
	__u64 slots[WAYS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BUCKETS);
	__type(key, __u32);
	__type(value, struct bucket);
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

struct end {
	__u32 address[4];
	__u16 port;
};

struct segment {
	struct end from, to;
	__u8 flags;
	__u8 fragment;
	__u32 payload;
};

/* hash is multilinear (Lemire and Kaser 2014): with keys that nobody knows, two
 * conversations share 32 bits by chance only, whoever chooses them. */
static __always_inline __u32 hash(const struct end *a, const struct end *b, int at)
{
	__u64 sum = keys[at];
	sum += keys[at + 1] * a->address[0] + keys[at + 2] * a->address[1];
	sum += keys[at + 3] * a->address[2] + keys[at + 4] * a->address[3];
	sum += keys[at + 5] * b->address[0] + keys[at + 6] * b->address[1];
	sum += keys[at + 7] * b->address[2] + keys[at + 8] * b->address[3];
	sum += keys[at + 9] * ((__u32)a->port << 16 | b->port);
	return sum >> 32;
}

/* second says which end comes first, so that both directions are one conversation. */
static __always_inline int second(const struct segment *s)
{
#pragma unroll
	for (int i = 3; i >= 0; i--)
		if (s->from.address[i] != s->to.address[i])
			return s->from.address[i] > s->to.address[i];
	return s->from.port > s->to.port;
}

static __always_inline int tcp(struct __sk_buff *skb, struct segment *s, __u32 at, __u32 size)
{
	__u8 h[14];
	if (bpf_skb_load_bytes(skb, at, h, sizeof h) < 0)
		return 0;
	s->from.port = (__u16)h[0] << 8 | h[1];
	s->to.port = (__u16)h[2] << 8 | h[3];
	__u32 header = (h[12] >> 4) * 4;
	if (header < 20)
		header = 20;
	s->flags = h[13];
	s->payload = size > header ? size - header : 0;
	return 1;
}

static __always_inline int ipv4(struct __sk_buff *skb, struct segment *s)
{
	__u8 h[20];
	if (bpf_skb_load_bytes(skb, ETH_HLEN, h, sizeof h) < 0)
		return 0;
	__u32 header = (h[0] & 15) * 4, size = (__u32)h[2] << 8 | h[3];
	if (h[0] >> 4 != 4 || header < 20 || h[9] != IPPROTO_TCP)
		return 0;
	if ((h[6] & 0x1f) | h[7])
		return 0; /* not the first fragment, which matters not */
	s->fragment = h[6] & 0x20;
	__builtin_memcpy(&s->from.address[3], h + 12, 4);
	__builtin_memcpy(&s->to.address[3], h + 16, 4);
	return tcp(skb, s, ETH_HLEN + header, size > header ? size - header : 0);
}

static __always_inline int ipv6(struct __sk_buff *skb, struct segment *s)
{
	__u8 h[40];
	if (bpf_skb_load_bytes(skb, ETH_HLEN, h, sizeof h) < 0)
		return 0;
	if (h[0] >> 4 != 6)
		return 0;
	__builtin_memcpy(s->from.address, h + 8, 16);
	__builtin_memcpy(s->to.address, h + 24, 16);
	__u32 at = ETH_HLEN + 40, size = (__u32)h[4] << 8 | h[5];
	__u8 next = h[6];
#pragma unroll
	for (int i = 0; i < MOST_EXTENSIONS; i++) {
		__u8 e[4];
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS && next != IPPROTO_FRAGMENT)
			break;
		if (bpf_skb_load_bytes(skb, at, e, sizeof e) < 0)
			return 0;
		__u32 length = ((__u32)e[1] + 1) * 8;
		if (next == IPPROTO_FRAGMENT) {
			if (e[2] | (e[3] & 0xf8))
				return 0;
			s->fragment = 1;
			length = 8;
		}
		next = e[0];
		at += length;
		size = size > length ? size - length : 0;
	}
	return next == IPPROTO_TCP && tcp(skb, s, at, size);
}

/* drops says whether a packet is one that nobody needs. */
static __always_inline int drops(struct __sk_buff *skb)
{
	struct segment s = {};
	__u8 link[ETH_HLEN];
	if (bpf_skb_load_bytes(skb, 0, link, sizeof link) < 0 || link[0] & 1)
		return 0;
	__u16 type = (__u16)link[12] << 8 | link[13];
	if (!(type == ETH_P_IP ? ipv4(skb, &s) : type == ETH_P_IPV6 ? ipv6(skb, &s) : 0))
		return 0;
	if (s.from.port == FTP_CONTROL || s.to.port == FTP_CONTROL)
		return 0;

	__u32 zero = 0;
	struct state *state = bpf_map_lookup_elem(&states, &zero);
	if (!state)
		return 0;
	int side = second(&s);
	const struct end *a = side ? &s.to : &s.from, *b = side ? &s.from : &s.to;
	__u64 low = hash(a, b, 0), high = hash(a, b, 10);
	__u64 tag = ((high << 32 | low) + state->generation * keys[20]) & ~ALL;
	__u32 index = (tag >> 4) % BUCKETS;
	struct bucket *bucket = bpf_map_lookup_elem(&conversations, &index);
	if (!bucket)
		return 0;

	/* The conversation's place; or one that is free; or that of one which other bits
	 * of the hash choose. */
	__u64 *slot = 0, *place = &bucket->slots[tag >> 62], seen = 0;
	int matters = s.flags & FLAGS_THAT_MATTER || s.fragment;
#pragma unroll
	for (int i = 0; i < WAYS; i++) {
		__u64 *at = &bucket->slots[i], value = *(volatile __u64 *)at;
		if (value == 0)
			place = at;
		if ((value & ~ALL) != tag)
			continue;
		slot = at;
		seen = value;
		if (matters) /* all of them: two processors may have begun it at once */
			__sync_lock_test_and_set(at, 0);
	}
	if (matters)
		return 0;
	if (slot && (seen & ALL) == ALL) {
		__u64 now = bpf_ktime_get_coarse_ns();
		if (now - state->passed < tell)
			return 1;
		state->passed = now;
		return 0;
	}
	__u64 want = slot ? seen : tag;
	if (s.payload)
		want |= PAYLOAD << side;
	if (want & PAYLOAD << (1 - side))
		want |= HEARD << side;
	if (!slot) {
		slot = place;
		seen = *(volatile __u64 *)slot;
	}
	if (want != seen)
		__sync_val_compare_and_swap(slot, seen, want);
	return 0;
}

SEC("socket")
int settle(struct __sk_buff *skb)
{
	if (!drops(skb))
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
