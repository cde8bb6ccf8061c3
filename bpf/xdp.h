/* SPDX-License-Identifier: Apache-2.0 */
/* What the program and its loader share: the maps, the settings, the records. */
#ifndef SYNOPTIC_XDP_H
#define SYNOPTIC_XDP_H

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define always static __always_inline

/* Classes of frames: the numbers of Class in stats.go. */
enum class {
	SYN,
	SYNACK,
	RST,
	FIN,
	PROBE,
	SEGMENT,
	DATAGRAM,
	REQUEST,
	REPLY,
	ERROR,
	ICMP,
	ARP,
	NEIGHBOR,
	SCTP,
	PROTOCOL,
	FRAGMENT,
	OTHER,
	TAGS,
	EXTENSIONS,
	TRUNCATED,
	MALFORMED,
	CLASSES = 32,
};

/* How a target is tried: the numbers of flows.Technique. */
enum technique {
	BY_SYN = 1,
	BY_FIN,
	BY_NULL,
	BY_XMAS,
	BY_MAIMON,
	BY_ACK,
	BY_UDP,
	BY_ECHO,
	BY_TIMESTAMP,
	BY_MASK,
	BY_SCTP_INIT,
	BY_SCTP_COOKIE,
	BY_PROTOCOL,
	BY_ARP,
	BY_NDP,
	TECHNIQUES,
};

/* An address: IPv4 as ::ffff:a.b.c.d, in network byte order. */
struct address {
	__u64 high, low;
};

/* What is read of a frame. Of an ICMP error, from, to and the ports are those of the packet
 * that it quotes. Ports are in host byte order; id is ICMP's identifier, in from_port. */
struct packet {
	struct address from, to;
	struct address sender; /* of an ICMP error */
	__u16 from_port, to_port;
	__u8 proto; /* IP protocol, 0 of ARP */
	__u8 flags; /* of TCP; of ICMP its type, of SCTP the type of the first chunk, of ARP what it does */
	__u8 class;
	__u8 technique; /* of questions, and of what is answered */
	__u8 group;	/* it goes to a group of hosts */
	__u8 told;	/* of a fragment: it may hold a part of a transport header */
	__u8 pad[6];
};

/* A record: the head of a frame. The loader decodes it. */
#define SHORT 96
#define LONG 192

struct head {
	__u64 time; /* monotonic, nanoseconds */
	__u32 wire; /* length of the frame */
	__u32 size; /* bytes of it that follow */
};

struct short_record {
	struct head head;
	__u64 frame[SHORT / 8];
};

struct long_record {
	struct head head;
	__u64 frame[LONG / 8];
};

/* What one processor has counted, and what it is reading: in a map, where the verifier need
 * not follow it along every path. */
struct counters {
	__u64 classes[CLASSES];
	__u64 told;
	__u64 ring_full;
	__u64 over_budget;
	__u64 evicted; /* from the table of sources */
	struct packet packet;
};

/* A source over its budget. Times are monotonic nanoseconds; last is 0 where there is none. */
#define REGISTERS 64

struct source {
	__u64 first, last;
	__u64 packets[16]; /* by technique */
	__u8 registers[REGISTERS];
};

/* The sources of one hash, and whose they are: their addresses, in a cache line. */
#define WAYS 4

struct set {
	struct address who[WAYS];
	struct source sources[WAYS];
};

/* Settings of the loader: constants for the verifier. */
const volatile __u64 seed = 0;
const volatile __u32 cell_mask = 0;	  /* cells of the Bloom filter, less one */
const volatile __u32 sets = 0;		  /* of sources */
const volatile __u32 budget = 4096;	  /* questions of a source in a generation */
const volatile __u32 ring_wake = 1 << 20; /* bytes waiting at which the reader is woken */
const volatile __u8 coarse = 1;		  /* the kernel has a coarse clock */
const volatile __u8 frags = 0;		  /* frames may be in several buffers */
const volatile __u8 every = 0;		  /* of tests: tell every frame that is read, and what was read of it */
const volatile __u64 spread = 0;	  /* of benchmarks: take frames for those to so many hosts, less one */

/* What the loader changes as time goes by. */
__u32 generation;
__u64 now;

#define BUDGETS (1 << 18)

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counters);
} counts SEC(".maps");

/* Of each cell a word for the even generations and one for the odd. */
struct cell {
	__u64 words[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1 << 16); /* set by the loader */
	__type(key, __u32);
	__type(value, struct cell);
} targets SEC(".maps");

/* 12 bits of the generation and 20 of what was spent in it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BUDGETS);
	__type(key, __u32);
	__type(value, __u32);
} questions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BUDGETS);
	__type(key, __u32);
	__type(value, __u32);
} answers SEC(".maps");

/* Not a hash of the kernel's: to call that, and to return from it, costs as much as all
 * else that is done for a packet over budget. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1 << 12); /* set by the loader */
	__type(key, __u32);
	__type(value, struct set);
} sources SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20); /* set by the loader */
} events SEC(".maps");

#endif
