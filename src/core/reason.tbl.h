/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why an exchange ended: REASON(symbol, name, is_error, status_code, sentence).
 * status_code is the span's where the provider sent none; 0: the provider's.
 * The name is the span's end_reason and the metric's label. Order is the wire
 * value in END records: append only.
 */
REASON(COMPLETE, "complete", 0, 0, "the provider's answer ended as it should")
REASON(INTERRUPTED, "interrupted", 1, 502, "the gateway was stopped before the answer ended")
REASON(CLIENT_DISCONNECTED, "client_disconnected", 1, 499, "the client left before the answer ended")
REASON(RESOLVE_FAILED, "resolve_failed", 1, 502, "the provider's name could not be looked up")
REASON(CONNECT_FAILED, "connect_failed", 1, 502, "the provider could not be reached")
REASON(CONNECT_TIMEOUT, "connect_timeout", 1, 504, "the provider did not accept the connection in time")
REASON(TLS_FAILED, "tls_failed", 1, 502, "the provider's TLS handshake or certificate failed")
REASON(UPSTREAM_RESET, "upstream_reset", 1, 502, "the provider closed the connection before its answer's head")
REASON(UPSTREAM_CUT, "upstream_cut", 1, 502, "the provider's answer was cut off")
REASON(UPSTREAM_PROTOCOL, "upstream_protocol", 1, 502, "the provider's answer is not valid HTTP")
REASON(FIRST_BYTE_TIMEOUT, "first_byte_timeout", 1, 504, "the provider sent no answer in time")
REASON(IDLE_TIMEOUT, "idle_timeout", 1, 504, "the provider's answer stopped for too long")
REASON(BODY_TIMEOUT, "body_timeout", 1, 408, "the client's request body did not arrive in time")
REASON(BODY_TOO_LARGE, "body_too_large", 1, 413, "the request body is larger than allowed")
REASON(BODY_MALFORMED, "body_malformed", 1, 400, "the request body's framing is not valid")
REASON(OVERLOADED, "overloaded", 1, 503, "too many request bodies are held already")
REASON(NO_PROVIDER_KEY, "no_provider_key", 1, 401,
    "neither the provider's settings nor the request hold a provider key")
REASON(CLIENT_TIMEOUT, "client_timeout", 1, 499, "the client did not read the answer for too long")
