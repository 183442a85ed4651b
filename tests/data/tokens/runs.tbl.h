/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A megabyte (2^20 bytes, less what does not fit) of one thing: tokens in
 * o200k_base and cl100k_base by the PyPI package `tiktoken` with these tables.
 */
{ "a", 131072, 131072 },
{ "A", 131072, 131072 },
{ "z", 524288, 524288 },
{ "!", 65536, 131072 },
{ "0", 349526, 349526 },
{ "-", 16384, 16384 },
{ "é", 524288, 524288 },
{ "漢", 349525, 699050 },
{ "ab", 262144, 524288 },
{ "lorem ", 174764, 174764 },
