/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metrics of OpenTelemetry's GenAI conventions (1.41), under the names that
 * they have in Prometheus: METRIC(symbol, name, UNIT, help, bounds...). UNIT is
 * US (bounds in µs, told as seconds) or ONE. The buckets are the conventions'.
 */
#define SECONDS_14 10000, 20000, 40000, 80000, 160000, 320000, 640000, 1280000, 2560000, 5120000, 10240000, 20480000, \
	40960000, 81920000
#define POWERS_OF_4 1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864
METRIC(DURATION, "gen_ai_client_operation_duration_seconds", US, "GenAI operation duration", SECONDS_14)
METRIC(TOKENS_INPUT, "gen_ai_client_token_usage", ONE, "Number of input and output tokens used", POWERS_OF_4)
METRIC(TOKENS_OUTPUT, "gen_ai_client_token_usage", ONE, NULL, POWERS_OF_4)
METRIC(FIRST_CHUNK, "gen_ai_client_operation_time_to_first_chunk_seconds", US,
    "Time to receive the first chunk of a streamed answer", SECONDS_14)
METRIC(CHUNK, "gen_ai_client_operation_time_per_output_chunk_seconds", US,
    "Time between the chunks of a streamed answer, for each after the first", SECONDS_14)
METRIC(SERVED, "gen_ai_server_request_duration_seconds", US,
    "GenAI request duration as the gateway's clients have it, to the last byte", SECONDS_14)
METRIC(FIRST_TOKEN, "gen_ai_server_time_to_first_token_seconds", US,
    "Time to the first token of answers that went well", 1000, 5000, 10000, 20000, 40000, 60000, 80000, 100000, 250000,
    500000, 750000, 1000000, 2500000, 5000000, 7500000, 10000000)
METRIC(TOKEN, "gen_ai_server_time_per_output_token_seconds", US,
    "Time for each output token after the first, of answers that went well", 10000, 25000, 50000, 75000, 100000, 150000,
    200000, 300000, 400000, 500000, 750000, 1000000, 2500000)
#undef SECONDS_14
#undef POWERS_OF_4
