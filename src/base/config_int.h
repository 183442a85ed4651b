/* SPDX-License-Identifier: Apache-2.0 */
/* config_int: what config.c, config_yaml.c and config_print.c share. */
#ifndef BASE_CONFIG_INT_H
#define BASE_CONFIG_INT_H

#include "base/config.h"
#include "core/option.h"

enum config_scope { SCOPE_TOP, SCOPE_PROVIDER, SCOPE_ROUTE, SCOPE_SINK, SCOPE_KEY };

/* A route as the file holds it: its provider may stand further down. */
struct route_text {
	char	*model;
	char	*provider_id;
};

/* A key as the file holds it: rights by their names. */
struct key_text {
	struct key_config key;
	struct text_list rights;
};

extern const struct option config_options[];
extern const size_t	   config_options_count;

/* A YAML document as a tree. A mapping's items are key, value, key, value... */
enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAPPING };

struct yaml_node {
	enum yaml_kind	 kind;
	char		*text;		/* of TEXT, ${NAME} not yet replaced */
	bool		 null;		/* TEXT: empty, ~ or null without quotes */
	size_t		 line, column;	/* from 1 */
	struct yaml_node *items;
	size_t		 count;
};

/* NULL: err holds "file:line:column: what is wrong". An empty document is an
 * empty mapping. Doubled keys, anchors and tags are refused. */
struct yaml_node *yaml_tree_read(const char *file, char *err, size_t errlen);
void		  yaml_tree_free(struct yaml_node *);
/* The value of a key in a mapping, NULL without one. */
const struct yaml_node *yaml_tree_get(const struct yaml_node *, const char *key);

#endif
