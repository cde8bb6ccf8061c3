/* SPDX-License-Identifier: Apache-2.0 */
/* What the program remembers: targets, and what their sources have spent. */
#ifndef SYNOPTIC_MARKS_H
#define SYNOPTIC_MARKS_H

#include "xdp.h"

/* What may be remembered of a target; of a question and what follows it with the source
 * port or identifier. Those of questions are of the technique. */
enum mark {
	ASKED = 0x20,	  /* from this source port */
	ANSWERED = 0x40,  /* SYN-ACK, a reply */
	RESET = 0x41,	  /* RST of the responder */
	GIVEN_UP = 0x42,  /* RST of the initiator */
	CLOSED = 0x43,	  /* FIN of the initiator */
	CLOSED_TOO = 0x44, /* FIN of the responder */
	FAILED = 0x45,	  /* ICMP error */
};

#define PRIME1 0x9e3779b97f4a7c15ULL
#define PRIME2 0xd6e8feb86659fd93ULL

always __u64 mix(__u64 h, __u64 word)
{
	h = (h ^ word) * PRIME1;
	return h ^ h >> 32;
}

always __u64 hash_address(__u64 h, const struct address *a)
{
	if (a->high)
		h = mix(h, a->high);
	return mix(h, a->low);
}

/* Hashes a target: who is asked by whom, at which port. */
always __u64 hash_target(const struct address *initiator, const struct address *responder, __u16 port, __u8 proto)
{
	__u64 h = hash_address(seed, initiator);

	h = hash_address(h, responder);
	return mix(h, (__u64)port << 8 | proto);
}

/* The bits in a word of a cell that stand for a mark: one of the target as such has
 * port 0. */
always __u64 bits(__u64 target, __u8 mark, __u16 port)
{
	__u64 x = (target ^ ((__u64)mark << 16 | port) * PRIME1) * PRIME2;
	__u64 set = 1ULL << (x >> 58) | 1ULL << (x >> 52 & 63) | 1ULL << (x >> 46 & 63);

	/* What follows a question finds the bits of that, and of what came before it, in its
	 * word: with three bits one ending in a hundred would seem known. */
	if (mark >= ANSWERED)
		set |= 1ULL << (x >> 40 & 63) | 1ULL << (x >> 34 & 63);
	return set;
}

always struct cell *cell_of(__u64 target)
{
	__u32 at = target & cell_mask;

	return bpf_map_lookup_elem(&targets, &at);
}

#define current_of(c) (&(c)->words[generation & 1])

always int has(__u64 word, __u64 marks)
{
	return (word & marks) == marks;
}

always int known(const struct cell *c, __u64 marks)
{
	return has(c->words[0], marks) || has(c->words[1], marks);
}

/* The word that has marks, the newer if both do. */
always __u64 *word_with(struct cell *c, __u64 marks)
{
	__u64 *newer = current_of(c), *older = &c->words[~generation & 1];

	if (has(*newer, marks))
		return newer;
	return has(*older, marks) ? older : 0;
}

/* What a source has spent. Which sources share a cell changes with the generation. */
always __u32 *spent_of(void *budgets, const struct address *a)
{
	__u32 at = hash_address(seed + generation * PRIME2, a) >> 32 & (BUDGETS - 1);

	return bpf_map_lookup_elem(budgets, &at);
}

#define AMOUNT 20 /* bits of what was spent */

always __u32 spent(__u32 word)
{
	return word >> AMOUNT == (generation & 0xfff) ? word & ((1 << AMOUNT) - 1) : 0;
}

always void spend(__u32 *word)
{
	*word = (generation & 0xfff) << AMOUNT | (spent(*word) + 1);
}

#endif
