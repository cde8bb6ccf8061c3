//go:build ignore

// SPDX-License-Identifier: Apache-2.0
/* Counts packets, and tells those that say something new: see doc.go. */
#include "marks.h"
#include "parse.h"
#include "xdp.h"

/* What is to become of a packet. */
struct verdict {
	__u64 *word; /* where to mark it as told, and with what */
	__u64 marks;
	__u32 *spent; /* what pays for it */
};

enum { SEEN, TELL };

/* Makes room in a set for the source of the packet that is read: where there was none, or
 * that of which nothing came for longest. Two processors that do so at once may leave one
 * with an address of nobody, which is evicted in time. No static function: see tell. */
__noinline int make_room(__u32 at)
{
	struct set *set = bpf_map_lookup_elem(&sources, &at);
	__u32 first = 0, way = 0, i;
	struct counters *n = bpf_map_lookup_elem(&counts, &first);

	if (!set || !n)
		return 0;
#pragma unroll
	for (i = 1; i < WAYS; i++)
		if (set->sources[i].last < set->sources[way].last)
			way = i;
	if (set->sources[way].last)
		n->evicted++;
	__builtin_memset(&set->sources[way], 0, sizeof(struct source));
	set->sources[way].first = now;
	set->who[way] = n->packet.from;
	return way;
}

/* 0 if two addresses are the same, else 1. No jumps: the verifier would go along all ways. */
always __u32 differ(const struct address *a, const struct address *b)
{
	__u64 x = (a->high ^ b->high) | (a->low ^ b->low);

	return (x | -x) >> 63;
}

/* The entry of a source, made if there is none. */
always struct source *source_of(const struct address *a)
{
	__u32 at = (hash_address(seed, a) >> 32) * sets >> 32, way = 0, others = 1, i;
	struct set *set = bpf_map_lookup_elem(&sources, &at);

	if (!set)
		return 0;
#pragma unroll
	for (i = 0; i < WAYS; i++) {
		others &= differ(&set->who[i], a);
		way += others;
	}
	if (others)
		way = make_room(at);
	return &set->sources[way & (WAYS - 1)];
}

/* Counts a target of a source that is over its budget. */
always void sum_up(const struct packet *p, __u64 target)
{
	struct source *s = source_of(&p->from);
	__u32 at = target & (REGISTERS - 1), rank = 1;
	__u64 rest = target >> 6;

	if (!s)
		return;
	s->last = now;
	__sync_fetch_and_add(&s->packets[p->technique & 15], 1);
	if (rest & ((1ULL << (s->registers[at] & 63)) - 1))
		return;
	/* one more than the zero bits that it ends with */
	rest |= 1ULL << 57;
	if (!(rest & 0xffffffff))
		rank += 32, rest >>= 32;
	if (!(rest & 0xffff))
		rank += 16, rest >>= 16;
	if (!(rest & 0xff))
		rank += 8, rest >>= 8;
	if (!(rest & 0xf))
		rank += 4, rest >>= 4;
	if (!(rest & 3))
		rank += 2, rest >>= 2;
	if (!(rest & 1))
		rank++;
	s->registers[at] = rank;
}

/* Whether a packet is paid for. */
always int affordable(struct counters *n, struct verdict *v, void *budgets, const struct address *a)
{
	v->spent = spent_of(budgets, a);
	return v->spent && spent(*v->spent) < budget;
}

/* What is kept of a conversation as a generation begins: whether it was told who asked,
 * and that there was an answer. */
always __u64 kept(const struct cell *c, __u64 from, __u64 answered)
{
	if (!known(c, from))
		return 0;
	return known(c, from | answered) ? from | answered : from;
}

/* A question: told once for its target. */
always int question(struct counters *n, struct verdict *v, const struct packet *p, __u64 target, int keep)
{
	__u64 marks = bits(target, p->technique, 0), from = bits(target, ASKED, p->from_port);
	struct cell *c;

	if (!affordable(n, v, &questions, &p->from)) {
		n->over_budget++;
		sum_up(p, target);
		return SEEN;
	}
	c = cell_of(target);
	if (!c)
		return SEEN;
	if (known(c, marks)) {
		if (keep && !has(*current_of(c), marks))
			*current_of(c) |= marks | kept(c, from, bits(target, ANSWERED, p->from_port));
		return SEEN;
	}
	v->word = current_of(c);
	v->marks = marks | from;
	return TELL;
}

/* What follows a question that was told from the same port: told once. It is remembered
 * where the question is, to be forgotten with it. */
always int follow(struct verdict *v, __u64 *word, __u64 marks)
{
	if (has(*word, marks))
		return SEEN;
	v->word = word;
	v->marks = marks;
	return TELL;
}

/* An answer to something that was not told: told once for the target. */
always int stray(struct counters *n, struct verdict *v, struct cell *c, __u64 marks, const struct address *sender)
{
	if (known(c, marks))
		return SEEN;
	if (!affordable(n, v, &answers, sender)) {
		n->over_budget++;
		return SEEN;
	}
	v->word = current_of(c);
	v->marks = marks;
	return TELL;
}

/* The target that p would ask for, and the one that it would answer for. */
#define ahead(p) hash_target(&(p)->from, &(p)->to, (p)->to_port, (p)->proto)
#define back(p) hash_target(&(p)->to, &(p)->from, (p)->from_port, (p)->proto)

/* An answer to the question of a target from a port. */
always int answer(struct counters *n, struct verdict *v, __u64 target, __u8 mark, __u16 port, const struct address *sender)
{
	struct cell *c = cell_of(target);
	__u64 *word;

	if (!c)
		return SEEN;
	word = word_with(c, bits(target, ASKED, port));
	if (word)
		return follow(v, word, bits(target, mark, port));
	return stray(n, v, c, bits(target, mark, 0), sender);
}

/* What ends a connection: a RST or FIN. Either side may have begun it. */
always int ending(struct counters *n, struct verdict *v, const struct packet *p, __u8 own, __u8 other)
{
	__u64 theirs = back(p), ours = ahead(p), *word;
	struct cell *c = cell_of(theirs), *d = cell_of(ours);

	if (!c || !d)
		return SEEN;
	word = word_with(c, bits(theirs, ASKED, p->to_port));
	if (word)
		return follow(v, word, bits(theirs, other, p->to_port));
	word = word_with(d, bits(ours, ASKED, p->from_port));
	if (word)
		return follow(v, word, bits(ours, own, p->from_port));
	if (p->class == RST) {
		if (known(d, bits(ours, BY_SYN, 0)) && !known(c, bits(theirs, BY_SYN, 0)))
			return SEEN;
		return stray(n, v, c, bits(theirs, other, 0), &p->from);
	}
	if (known(d, bits(ours, BY_SYN, 0)) || known(c, bits(theirs, BY_SYN, 0)) || known(c, bits(theirs, ANSWERED, 0)))
		return SEEN;
	return question(n, v, p, ours, 0);
}

/* What is an answer if its tuple reversed was asked for: a datagram, and what has no
 * ports. */
always int either(struct counters *n, struct verdict *v, struct packet *p)
{
	__u64 theirs = back(p), marks = bits(theirs, p->technique, 0);
	__u64 from = bits(theirs, ASKED, p->to_port), answered = bits(theirs, ANSWERED, p->to_port), *word;
	struct cell *c = cell_of(theirs);

	if (!c)
		return SEEN;
	word = word_with(c, marks);
	if (!word)
		return question(n, v, p, ahead(p), 1);
	if (word != current_of(c)) {
		word = current_of(c);
		*word |= marks | kept(c, from, answered);
	}
	return has(*word, from) ? follow(v, word, answered) : SEEN;
}

always __u64 clock(void)
{
	return coarse ? bpf_ktime_get_coarse_ns() : bpf_ktime_get_ns();
}

#define PORT_DHCP 67

always int datagram(struct counters *n, struct verdict *v, struct packet *p)
{
	if (p->from_port == PORT_DHCP || p->to_port == PORT_DHCP)
		return affordable(n, v, &questions, &p->from) ? TELL : SEEN;
	if (p->group) { /* told again and again, for who asks a group is answered for 30 s */
		__u64 target = ahead(p);

		return question(n, v, p, mix(target, clock() >> 34), 0);
	}
	return either(n, v, p);
}

always int sctp_chunk(struct counters *n, struct verdict *v, struct packet *p)
{
	switch (p->flags) {
	case 1:
	case 10:
		return question(n, v, p, ahead(p), 0);
	case 2:
	case 11:
		return answer(n, v, back(p), ANSWERED + (p->flags == 11) * 16, p->to_port, &p->from);
	case 6:
		return answer(n, v, back(p), RESET, p->to_port, &p->from);
	}
	return SEEN;
}

/* ARP and neighbour discovery. */
always int resolution(struct counters *n, struct verdict *v, struct packet *p)
{
	if (p->flags == 1 || p->flags == 135)
		return question(n, v, p, ahead(p), 0);
	return answer(n, v, back(p), ANSWERED, 0, &p->from);
}

/* The target of ICMP requests: each kind is one of its own. */
#define icmp_target(p, initiator, responder) \
	hash_target(&(p)->initiator, &(p)->responder, (p)->technique, PROTO_ICMP)

always int error(struct counters *n, struct verdict *v, struct packet *p)
{
	__u64 target = ahead(p);

	if (p->technique == BY_ECHO || p->technique == BY_TIMESTAMP || p->technique == BY_MASK)
		target = icmp_target(p, from, to);
	return answer(n, v, target, FAILED, p->from_port, &p->sender);
}

/* Decides what is to become of a packet. */
always int judge(struct counters *n, struct verdict *v, struct packet *p)
{
	switch (p->class) {
	case SYN:
	case PROBE:
		return p->group ? SEEN : question(n, v, p, ahead(p), 0);
	case SYNACK:
		return answer(n, v, back(p), ANSWERED, p->to_port, &p->from);
	case RST:
		return ending(n, v, p, GIVEN_UP, RESET);
	case FIN:
		return p->group ? SEEN : ending(n, v, p, CLOSED, CLOSED_TOO);
	case DATAGRAM:
		return datagram(n, v, p);
	case REQUEST:
		return p->group ? SEEN : question(n, v, p, icmp_target(p, from, to), 0);
	case REPLY:
		return answer(n, v, icmp_target(p, to, from), ANSWERED, p->from_port, &p->from);
	case ERROR:
		return error(n, v, p);
	case ARP:
	case NEIGHBOR:
		return resolution(n, v, p);
	case SCTP:
		return p->group ? SEEN : sctp_chunk(n, v, p);
	case PROTOCOL:
		return p->group ? SEEN : either(n, v, p);
	case FRAGMENT:
		return affordable(n, v, &questions, &p->from) ? TELL : SEEN;
	}
	return SEEN;
}

/* Copies the head of a frame of at least 14 bytes: words, and the last eight bytes, which
 * may be a part of the word before. */
always void copy(struct xdp_md *x, __u64 *to, __u32 size, int words)
{
	void *frame = (void *)(long)x->data, *end = (void *)(long)x->data_end, *tail;
	__u32 last = size - 8;
	int i;

#pragma unroll
	for (i = 0; i < words; i++) {
		if (frame + 8 * i + 8 > end)
			break;
		to[i] = *(__u64 *)(frame + 8 * i);
	}
	asm volatile("%0 &= 0xff" : "+r"(last)); /* it is less, but the verifier cannot tell */
	tail = frame + last;
	if (last <= words * 8 - 8 && tail + 8 <= end)
		__builtin_memcpy((void *)to + last, tail, 8);
}

#define record(kind, most)                                                    \
	do {                                                                  \
		struct kind *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0); \
                                                                              \
		if (!r)                                                       \
			return 0;                                             \
		r->head.time = clock();                                       \
		r->head.wire = wire;                                          \
		r->head.size = size < most ? size : most;                     \
		copy(x, r->frame, r->head.size, most / 8);                    \
		bpf_ringbuf_submit(r, flags);                                 \
	} while (0)

/* Writes a record, and reports whether there was room. This is no static function, so that
 * the verifier looks at it once, not along every path to it. A call costs 10 ns: nothing on
 * the way of all packets is called. */
__noinline int tell(struct xdp_md *x)
{
	__u32 size = x->data_end - x->data, wire = size;
	__u64 waiting = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);
	__u64 flags = waiting < ring_wake ? BPF_RB_NO_WAKEUP : BPF_RB_FORCE_WAKEUP;

	if (frags)
		wire = bpf_xdp_get_buff_len(x);
	if (size <= SHORT)
		record(short_record, SHORT);
	else
		record(long_record, LONG);
	return 1;
}

/* Whether packets of a class are only counted. */
always int only_counted(const struct packet *p, int class)
{
	return class == SEGMENT || class == ICMP || class >= OTHER || (class == FRAGMENT && !p->told);
}

SEC("xdp.frags")
int synoptic(struct xdp_md *x)
{
	struct cursor c = {.at = (void *)(long)x->data, .end = (void *)(long)x->data_end};
	struct verdict v = {};
	struct counters *n;
	struct packet *p;
	__u32 first = 0;
	int class;

	n = bpf_map_lookup_elem(&counts, &first);
	if (!n)
		return XDP_PASS;
	if (!every && only_segment(&c)) {
		n->classes[SEGMENT]++;
		return XDP_PASS;
	}
	p = &n->packet;
	if (every)
		__builtin_memset(p, 0, sizeof(*p));
	c.frame = c.at;
	c.wire = x->data_end - x->data;
	class = parse(p, &c) & (CLASSES - 1);
	n->classes[class]++;
	if (!every && only_counted(p, class))
		return XDP_PASS;
	p->class = class;
	if (every && class >= OTHER)
		return XDP_PASS;
	if (spread)
		p->to.low ^= (n->classes[class] & spread) * PRIME1;
	if (!every && judge(n, &v, p) == SEEN)
		return XDP_PASS;
	if (!tell(x)) {
		n->ring_full++;
		return XDP_PASS;
	}
	n->told++;
	if (v.word)
		*v.word |= v.marks;
	if (v.spent)
		spend(v.spent);
	return XDP_PASS;
}

/* No helper is used that the kernel keeps for programs under the GPL. */
char program_license[] SEC("license") = "Apache-2.0";
