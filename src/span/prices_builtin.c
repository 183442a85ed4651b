/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prices_builtin.c: holds pricing/prices.json of the source tree, which becomes
 * part of the object. Called by who wants to price.
 */
#include "span/prices.h"

__asm__(".pushsection .rodata\n\t.globl spangate_prices\n"
    "spangate_prices:\n\t.incbin \"" PRICES_FILE "\"\n"
    "\t.globl spangate_prices_end\nspangate_prices_end:\n\t.byte 0\n\t.popsection\n");
extern const char spangate_prices[], spangate_prices_end[];

struct slice
prices_builtin(void)
{
	return slice_make(spangate_prices, (size_t)(spangate_prices_end - spangate_prices));
}
