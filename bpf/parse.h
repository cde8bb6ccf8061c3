/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the headers of a frame. Follows what the decoder of flows does. */
#ifndef SYNOPTIC_PARSE_H
#define SYNOPTIC_PARSE_H

#include "xdp.h"

#define ETHER_IPV4 0x0800
#define ETHER_ARP 0x0806
#define ETHER_VLAN 0x8100
#define ETHER_IPV6 0x86dd
#define ETHER_QINQ 0x88a8
#define ETHER_OLD 0x9100

#define PROTO_HOPOPTS 0
#define PROTO_ICMP 1
#define PROTO_TCP 6
#define PROTO_UDP 17
#define PROTO_ROUTING 43
#define PROTO_FRAGMENT 44
#define PROTO_AH 51
#define PROTO_ICMPV6 58
#define PROTO_DESTOPTS 60
#define PROTO_SCTP 132
#define PROTO_MOBILITY 135
#define PROTO_HIP 139
#define PROTO_SHIM6 140

#define FLAG_FIN 0x01
#define FLAG_SYN 0x02
#define FLAG_RST 0x04
#define FLAG_PSH 0x08
#define FLAG_ACK 0x10
#define FLAG_URG 0x20
#define FLAG_MORE 0xc0 /* ECE and CWR */

#define MOST_TAGS 2
#define MOST_EXTENSIONS 4
#define FRAGMENT_WINDOW 64 /* bytes in which a transport header ends */
#define FIRST_FRAGMENT 26  /* bytes of a datagram that tell what is asked */

/* Where reading has come to. */
struct cursor {
	void *at, *end;
	void *frame;
	__s32 wire;    /* bytes from at on that the IP header states */
	void *ip;      /* the IP header */
	__u8 six;      /* that is of IPv6 */
	__u8 proto;    /* of what is at at */
	__u8 group;    /* the frame or the packet goes to a group */
	__u8 fragment; /* a first fragment */
};

#define captured(c, n) ((c)->at + (n) <= (c)->end)

always __u16 half(const void *p)
{
	return bpf_ntohs(*(const __u16 *)p);
}

/* What a header is of which fewer than n bytes are there. */
always int cut(const struct cursor *c, int n)
{
	if (c->wire >= n)
		return TRUNCATED;
	return c->fragment ? FRAGMENT : MALFORMED;
}

#define need(c, n)                                    \
	do {                                          \
		if ((c)->wire < (n) || !captured(c, n)) \
			return cut(c, n);             \
	} while (0)

/* Whether n bytes of a quoted packet are there. */
#define quoted(c, n) ((c)->wire >= (n) && captured(c, n))

always void move(struct cursor *c, __u32 n)
{
	c->at += n;
	c->wire -= n;
}

always int is_extension(__u8 proto)
{
	switch (proto) {
	case PROTO_HOPOPTS:
	case PROTO_ROUTING:
	case PROTO_FRAGMENT:
	case PROTO_AH:
	case PROTO_DESTOPTS:
	case PROTO_MOBILITY:
	case PROTO_HIP:
	case PROTO_SHIM6:
		return 1;
	}
	return 0;
}

/* The class of a later fragment: one that can hold a part of a transport header is told,
 * others are only counted. */
always int later_fragment(struct cursor *c, __u16 offset)
{
	c->fragment = offset < FRAGMENT_WINDOW;
	return FRAGMENT;
}

/* A fragment header of IPv6. */
always int fragment(struct cursor *c, const __u8 *h)
{
	__u16 offset = half(h + 2);

	c->proto = h[0];
	if (offset & ~7)
		return later_fragment(c, offset & ~7);
	if (offset & 1)
		c->fragment = 1;
	return 0;
}

/* Passes one extension header. */
always int extension(struct cursor *c)
{
	__u8 *h = c->at;
	__u32 size;

	need(c, 8);
	size = ((__u32)h[1] + 1) * 8;
	if (c->proto == PROTO_FRAGMENT)
		size = 8;
	else if (c->proto == PROTO_AH)
		size = ((__u32)h[1] + 2) * 4;
	if (c->proto == PROTO_AH && size < 8)
		size = 8;
	need(c, size);
	move(c, size & 0xfff);
	if (c->proto == PROTO_FRAGMENT)
		return fragment(c, h);
	c->proto = h[0];
	return 0;
}

/* Has the verifier forget what it knows of a number. p is yet to be filled. */
always __u64 any(struct packet *p, __u64 x)
{
	*(volatile __u64 *)&p->from.low = x;
	return *(volatile __u64 *)&p->from.low;
}

/* Has the verifier forget which headers were passed: else it would look at all that follows
 * once for each way to come here, and that three times as long. */
always void forget(struct packet *p, struct cursor *c)
{
	c->at = c->frame + (any(p, c->at - c->frame) & 0x3fff);
	asm volatile("" : "+r"(c->at)); /* one pointer, the bounds of which are known */
	c->wire = any(p, c->wire);
	c->proto = any(p, c->proto);
	c->fragment = any(p, c->fragment);
}

always int extensions(struct packet *p, struct cursor *c)
{
	int i, class;

	if (!is_extension(c->proto))
		return 0;
#pragma unroll
	for (i = 0; i < MOST_EXTENSIONS && is_extension(c->proto); i++) {
		if (!c->wire) /* else a probe for the protocol number as such */
			return c->fragment ? FRAGMENT : 0;
		class = extension(c);
		if (class)
			return class;
	}
	forget(p, c);
	return is_extension(c->proto) ? EXTENSIONS : 0;
}

always int ipv4(struct packet *p, struct cursor *c)
{
	__u8 *h = c->at;
	__u32 header, total, to;
	__u16 fragment;

	c->ip = h;
	need(c, 20);
	header = (h[0] & 15) * 4;
	total = half(h + 2);
	if (h[0] >> 4 != 4 || header < 20 || (total < header && total))
		return MALFORMED;
	if (total)
		c->wire = total;
	need(c, header);
	to = bpf_ntohl(*(__u32 *)(h + 16));
	c->group |= to >> 28 == 0xe || to == 0xffffffff;
	c->proto = h[9];
	fragment = half(h + 6);
	move(c, header);
	if (fragment & 0x1fff)
		return later_fragment(c, (fragment & 0x1fff) * 8);
	c->fragment = (fragment & 0x2000) != 0;
	return c->proto == PROTO_AH ? extensions(p, c) : 0;
}

always int ipv6(struct packet *p, struct cursor *c)
{
	__u8 *h = c->at;
	__u32 size;

	c->ip = h;
	c->six = 1;
	need(c, 40);
	if (h[0] >> 4 != 6)
		return MALFORMED;
	c->group |= h[24] == 0xff;
	c->proto = h[6];
	size = half(h + 4);
	move(c, 40);
	if (size || c->wire <= 20) /* else a jumbogram, or yet to be cut up */
		c->wire = size;
	return extensions(p, c);
}

/* Empties p. Not all frames come to that: it costs as much as the rest. */
always void blank(struct packet *p, const struct cursor *c)
{
	__builtin_memset(p, 0, sizeof(*p));
	p->proto = c->proto;
	p->group = c->group;
}

always void addresses(struct packet *p, const struct cursor *c)
{
	if (c->six) {
		const __u64 *a = c->ip + 8;

		p->from.high = a[0];
		p->from.low = a[1];
		p->to.high = a[2];
		p->to.low = a[3];
	} else {
		const __u32 *a = c->ip + 12;
		const __u64 mapped = bpf_cpu_to_be64(0xffff00000000ULL);

		p->from.high = p->to.high = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		p->from.low = mapped | (__u64)a[0] << 32;
		p->to.low = mapped | (__u64)a[1] << 32;
#else
		p->from.low = mapped | a[0];
		p->to.low = mapped | a[1];
#endif
	}
}

always int tcp_class(struct packet *p, __u8 flags)
{
	p->technique = BY_SYN;
	switch (flags & (FLAG_SYN | FLAG_ACK | FLAG_RST)) {
	case FLAG_SYN:
		return SYN;
	case FLAG_SYN | FLAG_ACK:
		return SYNACK;
	}
	if (flags & FLAG_RST)
		return RST;
	switch (flags & ~FLAG_MORE) {
	case 0:
		p->technique = BY_NULL;
		return PROBE;
	case FLAG_FIN:
		p->technique = BY_FIN;
		return PROBE;
	case FLAG_FIN | FLAG_PSH | FLAG_URG:
		p->technique = BY_XMAS;
		return PROBE;
	}
	p->technique = BY_MAIMON;
	return flags & FLAG_FIN ? FIN : SEGMENT;
}

/* Whether the flags are of a segment that neither begins nor ends anything. */
always int is_segment(__u8 flags)
{
	return !(flags & (FLAG_SYN | FLAG_FIN | FLAG_RST)) && flags & ~FLAG_MORE;
}

always int tcp(struct packet *p, struct cursor *c)
{
	__u8 *h = c->at, flags;

	need(c, 14);
	flags = h[13];
	if (is_segment(flags) && !every)
		return SEGMENT; /* nearly all there is, and only counted */
	blank(p, c);
	addresses(p, c);
	p->flags = flags;
	p->from_port = half(h);
	p->to_port = half(h + 2);
	return tcp_class(p, flags);
}

always int udp(struct packet *p, struct cursor *c)
{
	__u8 *h = c->at;

	need(c, 4);
	if (c->fragment && c->wire < FIRST_FRAGMENT)
		return FRAGMENT;
	p->from_port = half(h);
	p->to_port = half(h + 2);
	p->technique = BY_UDP;
	return DATAGRAM;
}

always int sctp(struct packet *p, struct cursor *c)
{
	__u8 *h = c->at;

	need(c, 13);
	p->from_port = half(h);
	p->to_port = half(h + 2);
	p->flags = h[12];
	p->technique = h[12] == 10 ? BY_SCTP_COOKIE : BY_SCTP_INIT;
	return SCTP;
}

/* Which technique an ICMP request is, 0 for what is none. */
always int request(__u8 proto, __u8 type)
{
	if (proto == PROTO_ICMPV6)
		return type == 128 ? BY_ECHO : 0;
	switch (type) {
	case 8:
		return BY_ECHO;
	case 13:
		return BY_TIMESTAMP;
	case 17:
		return BY_MASK;
	}
	return 0;
}

/* Reads the ports in a packet that an error quotes. */
always int quote_ports(struct packet *p, struct cursor *c, int later)
{
	__u8 *h = c->at;

	p->proto = c->proto;
	switch (c->proto) {
	case PROTO_TCP:
	case PROTO_UDP:
	case PROTO_SCTP:
		if (later || !quoted(c, 4))
			return ICMP;
		p->from_port = half(h);
		p->to_port = half(h + 2);
		p->technique = c->proto == PROTO_TCP ? BY_SYN : c->proto == PROTO_UDP ? BY_UDP : BY_SCTP_INIT;
		return ERROR;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		if (later || !quoted(c, 6))
			return ICMP;
		p->technique = request(c->proto, h[0]);
		p->from_port = half(h + 4);
		return p->technique ? ERROR : ICMP;
	}
	p->technique = BY_PROTOCOL;
	return ERROR;
}

always int quote4(struct packet *p, struct cursor *c)
{
	__u8 *h = c->at;
	__u32 header;

	if (!quoted(c, 20) || h[0] >> 4 != 4)
		return ICMP;
	header = (h[0] & 15) * 4;
	if (header < 20 || !quoted(c, header))
		return ICMP;
	c->ip = h;
	c->proto = h[9];
	move(c, header);
	return quote_ports(p, c, half(h + 6) & 0x1fff);
}

always int quote6(struct packet *p, struct cursor *c)
{
	__u8 *h = c->at;

	if (!quoted(c, 40) || h[0] >> 4 != 6)
		return ICMP;
	c->ip = h;
	c->proto = h[6];
	move(c, 40);
	/* Extension headers are not passed: the verifier would look at five times as much. */
	return quote_ports(p, c, 0);
}

always int icmp4(struct packet *p, struct cursor *c)
{
	__u8 *h = c->at;

	need(c, 8);
	p->flags = h[0];
	p->from_port = half(h + 4);
	p->technique = request(PROTO_ICMP, h[0]);
	if (p->technique)
		return REQUEST;
	switch (h[0]) {
	case 0:
		p->technique = BY_ECHO;
		return REPLY;
	case 14:
		p->technique = BY_TIMESTAMP;
		return REPLY;
	case 18:
		p->technique = BY_MASK;
		return REPLY;
	case 3:
		if (h[1] == 4)
			return ICMP;
	case 11:
		move(c, 8);
		return quote4(p, c);
	}
	return ICMP;
}

/* Neighbour discovery: who is asked is in the message. */
always int neighbor(struct packet *p, struct cursor *c)
{
	__u8 *h = c->at;
	__u64 *a = c->at + 8;

	need(c, 24);
	p->group = 0;
	p->from_port = 0;
	p->technique = BY_NDP;
	if (h[0] == 135) {
		p->to.high = a[0];
		p->to.low = a[1];
	} else {
		p->from.high = a[0];
		p->from.low = a[1];
	}
	return NEIGHBOR;
}

always int icmp6(struct packet *p, struct cursor *c)
{
	__u8 *h = c->at;

	need(c, 8);
	p->flags = h[0];
	p->from_port = half(h + 4);
	p->technique = BY_ECHO;
	switch (h[0]) {
	case 128:
		return REQUEST;
	case 129:
		return REPLY;
	case 4:
		if (h[1] != 1)
			return ICMP;
	case 1:
	case 3:
		move(c, 8);
		return quote6(p, c);
	case 135:
	case 136:
		return neighbor(p, c);
	}
	return ICMP;
}

/* Reads what is behind the IP headers. */
always int transport(struct packet *p, struct cursor *c)
{
	int class;

	if (c->proto == PROTO_TCP)
		return tcp(p, c);
	blank(p, c);
	addresses(p, c);
	switch (c->proto) {
	case PROTO_UDP:
		return udp(p, c);
	case PROTO_SCTP:
		return sctp(p, c);
	case PROTO_ICMP:
		if (c->six)
			break;
		class = icmp4(p, c);
		if (class == ERROR) {
			p->sender = p->from;
			addresses(p, c);
		}
		return class;
	case PROTO_ICMPV6:
		if (!c->six)
			break;
		class = icmp6(p, c);
		if (class == ERROR) {
			p->sender = p->from;
			addresses(p, c);
		}
		return class;
	}
	p->technique = BY_PROTOCOL;
	return PROTOCOL;
}

always int arp(struct packet *p, struct cursor *c)
{
	__u8 *h = c->at;

	need(c, 28);
	if ((half(h) != 1 && half(h) != 6) || half(h + 2) != ETHER_IPV4 || h[4] != 6 || h[5] != 4)
		return OTHER;
	if (h[6] || h[7] < 1 || h[7] > 2)
		return OTHER;
	blank(p, c);
	p->group = 0;
	p->flags = h[7];
	p->technique = BY_ARP;
	p->from.low = p->to.low = bpf_cpu_to_be64(0xffff00000000ULL);
	__builtin_memcpy((void *)&p->from + 12, h + 14, 4);
	__builtin_memcpy((void *)&p->to + 12, h + 24, 4);
	return ARP;
}

#define word(p) (*(const __u32 *)(p))

/* Whether a frame is of the most frequent kind, a segment that is only counted, below a plain
 * header of IP: seen here by few loads, while parse, that would find the same, takes twice
 * the time. */
always int only_segment(const struct cursor *c)
{
	const __u8 *h = c->at;

	if (!captured(c, 48))
		return 0;
	if ((word(h + 12) & bpf_htonl(0xffffff00)) == bpf_htonl(ETHER_IPV4 << 16 | 0x4500))
		return (word(h + 20) & bpf_htonl(0x3fff00ff)) == bpf_htonl(PROTO_TCP) && half(h + 16) >= 34 && is_segment(h[47]);
	if ((word(h + 12) & bpf_htonl(0xfffff000)) == bpf_htonl(ETHER_IPV6 << 16 | 0x6000))
		return h[20] == PROTO_TCP && half(h + 18) >= 14 && captured(c, 68) && is_segment(h[67]);
	return 0;
}

always int parse(struct packet *p, struct cursor *c)
{
	__u8 *h = c->at;
	__u16 type;
	int i, class;

	need(c, 14);
	c->group = h[0] & 1;
	type = half(h + 12);
	move(c, 14);
#pragma unroll
	for (i = 0; i < MOST_TAGS; i++) {
		if (type != ETHER_VLAN && type != ETHER_QINQ && type != ETHER_OLD)
			break;
		need(c, 4);
		type = half(c->at + 2);
		move(c, 4);
	}
	switch (type) {
	case ETHER_IPV4:
		class = ipv4(p, c);
		break;
	case ETHER_IPV6:
		class = ipv6(p, c);
		break;
	case ETHER_ARP:
		return arp(p, c);
	case ETHER_VLAN:
	case ETHER_QINQ:
	case ETHER_OLD:
		return TAGS;
	default:
		return OTHER;
	}
	if (!class)
		class = transport(p, c);
	if (class == FRAGMENT) {
		blank(p, c);
		addresses(p, c);
		p->told = c->fragment;
	}
	return class;
}

#endif
