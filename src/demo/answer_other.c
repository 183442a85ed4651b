/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer_other: embeddings, images, moderations, rankings, the list of models,
 * and what there is no answer for. Called by pretend.c.
 */
#include <config.h>

#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "demo/answer.h"

#define DIMENSIONS 64
#define DIMENSIONS_MAX 4096
#define INPUTS_MAX 256
#define RESULTS_MAX 1000

/* A PNG of one dot. */
#define DOT "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNQSFgAAAHEASFiX4r9AAAAAElFTkSuQmCC"

static int
integer_member(const struct ask *a, const char *name, int otherwise, int most)
{
	json_t	*v = json_object_get(a->body, name);

	if (!json_is_integer(v) || json_integer_value(v) < 1)
		return otherwise;
	return json_integer_value(v) < most ? (int)json_integer_value(v) : most;
}

/* A vector of length 1 that is the same for the same text. */
static void
vector_make(const char *text, float *v, int n)
{
	uint32_t	state = 2166136261u;
	double		sum = 0;
	int		i;

	for (; *text != '\0'; text++)
		state = (state ^ (unsigned char)*text) * 16777619u;
	for (i = 0; i < n; i++) {
		state = state * 1664525u + 1013904223u;
		v[i] = (float)(state >> 8) / 8388608.0f - 1.0f;
		sum += (double)v[i] * v[i];
	}
	for (i = 0; i < n; i++)
		v[i] = (float)(v[i] / sqrt(sum));
}

static json_t *
embedding_make(const char *text, int n, bool base64)
{
	float	*v = xmalloc((size_t)n * sizeof(*v));
	json_t	*json;
	int	 i;

	vector_make(text, v, n);
	if (base64)
		json = answer_base64(slice_make(v, (size_t)n * sizeof(*v)));
	else
		for (i = 0, json = json_array(); i < n; i++)
			json_array_append_new(json, json_real(v[i]));
	free(v);
	return json;
}

void
answer_embeddings(struct ask *a)
{
	json_t		*input = json_object_get(a->body, "input"), *data = json_array();
	const char	*format = answer_member(a, "encoding_format"), *text;
	bool		 base64 = format != NULL && slice_eq(slice_str(format), SLICE("base64"));
	bool		 list = json_is_array(input) && !json_is_integer(json_array_get(input, 0));
	int		 n = integer_member(a, "dimensions", DIMENSIONS, DIMENSIONS_MAX);
	size_t		 i, inputs = list ? json_array_size(input) : 1;

	for (i = 0; i < inputs && i < INPUTS_MAX; i++) {
		text = json_string_value(list ? json_array_get(input, i) : input);
		json_array_append_new(data, json_pack("{s:s, s:I, s:o}", "object", "embedding", "index", (json_int_t)i,
		    "embedding", embedding_make(text != NULL ? text : "", n, base64)));
	}
	play_json(a->play, HTTP_OK, json_pack("{s:s, s:o, s:s, s:{s:I, s:I}}", "object", "list", "data", data,
	    "model", a->model, "usage", "prompt_tokens", (json_int_t)a->prompt_tokens,
	    "total_tokens", (json_int_t)a->prompt_tokens));
}

void
answer_image(struct ask *a)
{
	int		i, n = integer_member(a, "n", 1, 10);
	json_t		*data = json_array();
	json_int_t	in = a->prompt_tokens, out = 196 * n;

	for (i = 0; i < n; i++)
		json_array_append_new(data, json_pack("{s:s, s:s}", "b64_json", DOT,
		    "revised_prompt", answer_text(TEXT_PROMPT)));
	play_json(a->play, HTTP_OK, json_pack("{s:I, s:o, s:s, s:s, s:{s:I, s:I, s:I, s:{s:I, s:i}}}",
	    "created", (json_int_t)a->created, "data", data, "output_format", "png", "size", "1x1",
	    "usage", "input_tokens", in, "output_tokens", out, "total_tokens", in + out,
	    "input_tokens_details", "text_tokens", in, "image_tokens", 0));
}

void
answer_moderation(struct ask *a)
{
	play_json(a->play, HTTP_OK, json_pack("{s:o, s:s, s:[{s:b, s:{s:b, s:b}, s:{s:f, s:f}}]}",
	    "id", answer_id(a, "modr-"), "model", a->model, "results", "flagged", false,
	    "categories", "violence", false, "harassment", false,
	    "category_scores", "violence", 0.0001, "harassment", 0.0002));
}

void
answer_rerank(struct ask *a)
{
	int	i, n = (int)json_array_size(json_object_get(a->body, "documents"));
	json_t	*results = json_array();

	n = integer_member(a, "top_n", n, n < RESULTS_MAX ? n : RESULTS_MAX);
	for (i = 0; i < n; i++)
		json_array_append_new(results, json_pack("{s:i, s:f}", "index", i, "relevance_score", 0.9 / (i + 1)));
	play_json(a->play, HTTP_OK, json_pack("{s:o, s:s, s:o, s:{s:I}}", "id", answer_id(a, "rank_"),
	    "model", a->model, "results", results, "usage", "total_tokens", (json_int_t)a->prompt_tokens));
}

void
answer_models(struct ask *a)
{
	static const char *const ids[] = {
#define MODEL(id) id,
#include "demo/demo.tbl.h"
	};
	json_t	*data = json_array();
	size_t	 i;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		json_array_append_new(data, json_pack("{s:s, s:s, s:I, s:s}", "id", ids[i], "object", "model",
		    "created", (json_int_t)a->created, "owned_by", "pretend"));
	play_json(a->play, HTTP_OK, json_pack("{s:s, s:o}", "object", "list", "data", data));
}

void
answer_unknown(struct ask *a)
{
	answer_error(a, 404, "invalid_request_error", "not_found", answer_text(TEXT_NO_PATH));
}
