/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operations: what each method of each path of the API asks and gives, as in
 * operations.tbl.h: the rights that it needs, and the OpenAPI document.
 */
#ifndef API_OPERATIONS_H
#define API_OPERATIONS_H

#include "gate/local.h"

enum operation_parameters {
	PARAMETERS_NONE, PARAMETERS_LIST, PARAMETERS_WINDOW, PARAMETERS_PAGE, PARAMETERS_USERS, PARAMETERS_ONE,
	PARAMETERS_METRICS, PARAMETERS_SETS
};

struct operation {
	const char	*method, *path;		/* "/logs/{id}/scores" */
	unsigned	 right;			/* of enum key_right; 0: any key has it */
	bool		 open;			/* no key is asked for */
	bool		 may_list;		/* its right is RIGHT_READ where the body asks for a list */
	enum operation_parameters parameters;
	const char	*request, *answer;	/* schemas; "" for none */
	unsigned	 status;
	const char	*sentence;
};
extern const struct operation operations[];
extern const size_t operations_count;

/* Is there such a path? */
bool	operation_path(struct slice path);
/* NULL: the path does not take the method. */
const struct operation *operation_find(struct slice method, struct slice path);
/* The right that a request needs. */
unsigned operation_right(const struct local_request *);

/* Is there a handler for it (api.c)? */
bool	operation_works(const struct operation *);

/* GET /openapi.json */
local_handler openapi_get;

#endif
