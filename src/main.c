/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

int
main(void)
{
	puts("spangate 0.1");
	return 0;
}
