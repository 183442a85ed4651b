/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Schemas of requests and answers: SCHEMA(name, JSON Schema). #/components/schemas/Span
 * is made of the table of a span's fields instead. Requests name only what is
 * looked at; other members are taken too.
 */
#define ANY_OBJECT "{\"type\":\"object\"}"
#define REF(name) "{\"$ref\":\"#/components/schemas/" name "\"}"
#define TEXT_OR_NULL "{\"type\":[\"string\",\"null\"]}"
#define COUNT "{\"type\":\"integer\",\"minimum\":0}"
#define COST "{\"type\":\"number\"}"
#define NUMBER_OR_NULL "{\"type\":[\"number\",\"null\"]}"
#define PAGE_OF(row) "{\"type\":\"object\",\"required\":[\"count\",\"next\",\"previous\",\"results\"]," \
	"\"properties\":{" \
	"\"count\":" COUNT ",\"next\":" TEXT_OR_NULL ",\"previous\":" TEXT_OR_NULL "," \
	"\"current_filters\":{\"type\":[\"object\",\"array\"]},\"results\":{\"type\":\"array\",\"items\":" row "}}}"
#define KEY_MEMBERS "\"id\":{\"type\":\"string\"},\"name\":" TEXT_OR_NULL ",\"prefix\":{\"type\":\"string\"}," \
	"\"environment\":{\"type\":\"string\"},\"is_test\":{\"type\":\"boolean\"}," \
	"\"rights\":" KEY_RIGHTS ",\"rate_limit\":{\"type\":[\"integer\",\"null\"]}," \
	"\"created_at\":" TEXT_OR_NULL ",\"expiry_date\":" TEXT_OR_NULL ",\"is_temporary\":{\"type\":\"boolean\"}," \
	"\"revoked\":{\"type\":\"boolean\"},\"max_usage\":{\"type\":\"integer\"},\"key_usage\":{\"type\":\"null\"}," \
	"\"spending_limit\":{\"type\":\"null\"},\"spending_in_period\":{\"type\":\"null\"}"
#define KEY_RIGHTS "{\"type\":\"array\",\"items\":{\"enum\":[\"gateway\",\"read\",\"write\"," \
	"\"admin\"]},\"minItems\":1}"
#define KEY_REQUIRED "\"id\",\"name\",\"prefix\",\"environment\",\"is_test\",\"rights\",\"rate_limit\"," \
	"\"created_at\"," \
	"\"expiry_date\",\"revoked\""
#define KEY_WISHES "\"name\":{\"type\":[\"string\",\"null\"],\"maxLength\":128}," \
	"\"expiry_date\":{\"type\":[\"string\",\"null\"]," \
	"\"format\":\"date-time\"},\"rate_limit\":{\"type\":[\"integer\",\"null\"],\"minimum\":1,\"maximum\":1000000}," \
	"\"rights\":" KEY_RIGHTS ",\"max_usage\":{\"enum\":[-1,null]},\"spending_limit\":{\"type\":\"null\"}"

SCHEMA("Error", "{\"type\":\"object\",\"required\":[\"error\",\"detail\"],\"properties\":{"
    "\"error\":{\"type\":\"string\"},\"detail\":{\"type\":\"string\"},"
    "\"retry_after\":{\"type\":\"integer\",\"minimum\":1},"
    "\"error_id\":{\"type\":\"string\",\"description\":\"Stands in the log beside what went wrong\"}}}")
SCHEMA("Message", "{\"type\":\"object\",\"required\":[\"message\"],"
    "\"properties\":{\"message\":{\"type\":\"string\"}}}")
SCHEMA("Object", ANY_OBJECT)
SCHEMA("Page", PAGE_OF(ANY_OBJECT))
SCHEMA("SpanPage", PAGE_OF(REF("Span")))
SCHEMA("UserPage", PAGE_OF(REF("User")))
SCHEMA("KeyPage", PAGE_OF(REF("Key")))
SCHEMA("Filters", "{\"type\":\"object\",\"properties\":{\"filters\":{\"description\":"
    "\"Field to {\\\"operator\\\", \\\"value\\\"}, or to a list of those\",\"type\":[\"object\",\"array\",\"null\"]}}}")
SCHEMA("SpanOrFilters", "{\"anyOf\":[" REF("Filters") "," REF("Span") "]}")
SCHEMA("Created", "{\"type\":\"object\",\"properties\":{\"message\":{\"type\":\"string\"},"
    "\"id\":{\"type\":\"string\"},"
    "\"unique_id\":{\"type\":\"string\"}}}")
SCHEMA("CreatedOrPage", "{\"anyOf\":[" REF("SpanPage") "," REF("Created") "]}")
SCHEMA("Batch", "{\"type\":\"object\",\"required\":[\"logs\"],\"properties\":{\"logs\":{\"type\":\"array\",\"items\":"
    ANY_OBJECT "}}}")
SCHEMA("Spans", "{\"anyOf\":[{\"type\":\"array\",\"items\":" ANY_OBJECT "}," ANY_OBJECT "]}")
SCHEMA("Edit", ANY_OBJECT)
#define IS_PUBLIC "\"required\":[\"is_public\"],\"properties\":{\"is_public\":{\"type\":\"boolean\"}"
SCHEMA("Publish", "{\"type\":\"object\"," IS_PUBLIC "}}")
SCHEMA("Published", "{\"type\":\"object\"," IS_PUBLIC ",\"trace_unique_id\":{\"type\":\"string\"}}}")
SCHEMA("Summary", "{\"type\":\"object\",\"required\":[\"number_of_requests\",\"total_cost\","
    "\"total_tokens\"],\"properties\":{"
    "\"number_of_requests\":" COUNT ",\"total_cost\":" COST ",\"total_tokens\":" COUNT ","
    "\"total_prompt_tokens\":" COUNT ",\"total_completion_tokens\":" COUNT ",\"scores\":" ANY_OBJECT "}}")
SCHEMA("User", "{\"type\":\"object\",\"required\":[\"id\",\"customer_identifier\",\"environment\","
    "\"number_of_requests\","
    "\"total_tokens\",\"total_cost\"],\"properties\":{\"id\":{\"type\":\"string\"},"
    "\"customer_identifier\":{\"type\":\"string\"},"
    "\"environment\":{\"type\":\"string\"},\"name\":" TEXT_OR_NULL ",\"email\":" TEXT_OR_NULL ","
    "\"first_seen\":{\"type\":\"string\"},\"last_active_timeframe\":{\"type\":\"string\"},\"active_days\":" COUNT ","
    "\"number_of_requests\":" COUNT ",\"total_requests\":" COUNT ",\"total_tokens\":" COUNT ","
    "\"total_cost\":" COST ","
    "\"average_latency\":" NUMBER_OR_NULL ",\"average_ttft\":" NUMBER_OR_NULL "}}")
SCHEMA("Key", "{\"type\":\"object\",\"required\":[" KEY_REQUIRED "],\"properties\":{" KEY_MEMBERS "}}")
SCHEMA("MadeKey", "{\"type\":\"object\",\"required\":[" KEY_REQUIRED ",\"api_key\"],\"properties\":{" KEY_MEMBERS ","
    "\"api_key\":{\"type\":\"string\",\"description\":\"The key itself: it is shown here and never again\"}}}")
SCHEMA("NewKey", "{\"type\":\"object\",\"properties\":{" KEY_WISHES ",\"is_test\":{\"type\":[\"boolean\",\"null\"]},"
    "\"environment\":{\"type\":[\"string\",\"null\"],\"pattern\":\"^[A-Za-z0-9_.@-]{1,64}$\"}}}")
SCHEMA("KeyEdit", "{\"type\":\"object\",\"properties\":{" KEY_WISHES ","
    "\"revoked\":{\"type\":[\"boolean\",\"null\"]}}}")

#undef ANY_OBJECT
#undef REF
#undef TEXT_OR_NULL
#undef COUNT
#undef COST
#undef NUMBER_OR_NULL
#undef PAGE_OF
#undef KEY_MEMBERS
#undef KEY_RIGHTS
#undef KEY_REQUIRED
#undef KEY_WISHES
