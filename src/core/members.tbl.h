/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway's own members of a request body: MEMBER(name, flags).
 *   CUT     taken out of the body that goes upstream, in every family
 *   SECRET  its value is blanked wherever we keep a copy
 *   WORKS   the span uses it; without WORKS its being cut is told in `warnings`
 *   NEST    an object of further members: respan_params, extra_body, ...
 * A few members have rules of their own (members.c): metadata, prompt, models,
 * thinking, stream_options.
 */
MEMBER("customer_identifier", CUT | WORKS)
