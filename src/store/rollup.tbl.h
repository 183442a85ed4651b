/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rollups add up: SUM(name). Each is an int64 column of every table
 * of rollups; cost in 10^-12 USD, times in µs. The first two are of requests,
 * the tokens and the cost of what is billed, the times of requests.
 */
SUM(requests)
SUM(errors)
SUM(prompt_tokens)
SUM(completion_tokens)
SUM(total_tokens)
SUM(cached_tokens)
SUM(cache_creation_tokens)
SUM(reasoning_tokens)
SUM(cost_pico)
SUM(unpriced)
SUM(latency_us)
SUM(latency_count)
SUM(ttft_us)
SUM(ttft_count)
