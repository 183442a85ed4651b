/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db: what the files of the SQLite store share and nobody else sees. One
 * `struct store` is one connection, used by one thread at a time.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <sqlite3.h>
#include <sys/types.h>
#include <zstd.h>

#include "core/buf.h"
#include "core/jscan.h"
#include "store/checkpoint.h"
#include "store/rollup.h"
#include "store/search.h"
#include "store/store.h"
#include "store/traces.h"

#define STORE_FILE "spans.db"
#define PAGE_BYTES 4096			/* SQLite's own choice */
#define CHECKPOINT_PAGES 32000		/* 128 MiB of WAL: pages that change often are written once; but */
#define CHECKPOINT_FEW 500
#define CHECKPOINT_SHARE 8		/* no more than this part of what the file system has free */
#define STORE_TICK_US INT64_C(600000000)	/* of table span_tick */
#define STORE_VERSION 5			/* user_version; migrations stand in schema.c */

enum store_column {
#define COLUMN(symbol, name) STORE_C_##symbol,
#include "store/columns.tbl.h"
#undef COLUMN
	STORE_COLUMNS
};

struct store_column_info {
	const char	*name;
	int		 field;		/* enum span_field */
};
extern const struct store_column_info store_columns[STORE_COLUMNS];

/* How a row's body is kept. */
enum store_body {
	BODY_CHAIN = 0,
	BODY_JSON = 1,
	BODY_BLURRED = 8,	/* as BODY_JSON: what is left of a body whose time is over */
};

enum store_statement {
	STATEMENT_BEGIN, STATEMENT_COMMIT, STATEMENT_ROLLBACK, STATEMENT_OTHERS, STATEMENT_SPAN, STATEMENT_META,
	STATEMENT_BODY, STATEMENT_EDIT, STATEMENT_CURSOR, STATEMENT_NUMBER, STATEMENT_CHAIN,
	STATEMENT_CHARGED, STATEMENT_CHARGE, STATEMENT_ROLLUP_ROW, STATEMENT_FIND,
	STATEMENT_BILL, STATEMENT_REPRICE,
	STATEMENT_SAME_KEY, STATEMENT_SAME_SPAN, STATEMENT_SAME_NOTE, STATEMENT_ALIAS, STATEMENT_ALIAS_FIND,
	STATEMENT_ALIAS_FIRST,
	STATEMENT_PENDING, STATEMENT_PENDING_FIND, STATEMENT_PENDING_DONE,
	STATEMENT_TRACE_ADD, STATEMENT_TRACE_TOUCH, STATEMENT_SCORES, STATEMENT_TICK,
	STATEMENT_TICK_GONE, STATEMENT_CHANGE,
	/* twin.c has them, in this order */
	STATEMENT_TWIN_GATEWAY, STATEMENT_TWIN_GIVEN, STATEMENT_TWIN_LIKE, STATEMENT_TWIN_UNNAMED, STATEMENT_TWIN_UP,
	STATEMENT_CUSTOMER_DETAILS,
	STATEMENT_TWIN_DOWN, STATEMENT_TWIN_UNCOUNT, STATEMENT_TWIN_UNBILL, STATEMENT_TWIN_JOIN, STATEMENT_TWIN_COUNTED,
	STATEMENTS
};

/* What rows were counted, kept in table meta as numbers of these names. */
enum store_number { NUMBER_REV, NUMBER_EXPIRED, NUMBER_DUPLICATES, NUMBER_PAST, NUMBER_PAST_DROPPED, NUMBER_REMOVED,
    NUMBER_DAY_OFFSET, NUMBER_REPRICE_AT, NUMBER_GIVEN,
    NUMBER_GIVEN_UNTIL,	/* the latest end of a given span, µs */
    NUMBERS };

struct store {
	sqlite3		*db;
	char		*data_dir, *path;
	bool		 write;
	struct checkpointer *checkpointer;		/* of the writer */
	int		 checkpoint_pages;		/* how long its log is to get */
	sqlite3_stmt	*statements[STATEMENTS];	/* prepared at first use */
	int64_t		 numbers[NUMBERS];		/* as of this transaction */
	int64_t		 committed[NUMBERS];		/* as on disk */
	ZSTD_CCtx	*cctx;
	ZSTD_DCtx	*dctx;
	struct buf	 data;				/* a compressed body */
	struct buf	 json;				/* a row that is kept as JSON */
	struct buf	 text;				/* a decoded metadata key and value */
	struct search	*search;			/* the index of words, search.c */
	struct rollup	*rollup;			/* cells that were touched */
	int64_t		 data_version;			/* of those: another one when somebody else wrote */
	struct ticks	*ticks;				/* what this transaction adds to span_tick */
	struct full	*full;				/* puts spans together for filters */
	uint64_t	 deadline_us;			/* of this step of a list; 0: none */
	enum store_billed billed;			/* the last row that was put */
	bool		 followed;			/* changes are noted, news.c */
	int64_t		 changes;			/* so many, about */
	bool		 traces_touched;		/* temp.touched names traces to be made anew */
	bool		 touched;			/* committed since the last sync */
	dev_t		 device;			/* the file that was opened */
	ino_t		 inode;
	bool		 expire_pass;			/* retention has looked at rows up to */
	int64_t		 expire_time, expire_n;		/* these, of its order */
	unsigned	 expire_batch;			/* rows that it takes out at once */
	int64_t		 blur_n;			/* as has that of bodies, up to this row */
	uint64_t	 blur_again;			/* when it begins with the first row once more */
	char		 trouble[160];			/* what failed before the last rollback */
};

/* sqlite.c: a result code of SQLite as ours. */
int	 store_code(int sqlite_code);
/* A statement of the table, reset and ready; NULL: see sqlite3_errcode. */
sqlite3_stmt *store_statement(struct store *, enum store_statement);
/* Runs SQL that gives no rows. */
int	 store_exec(struct store *, const char *sql);
/* The same of a text that is put together; frees it. STORE_BUSY where it found no memory. */
int	 store_exec_buf(struct store *, struct buf *sql);

/* schema.c: makes or upgrades; err holds a line when it is not STORE_OK. */
int	 schema_open(struct store *, char *err, size_t errlen);
/* Was it made by a newer spangate? Then err says so. */
bool	 schema_newer(struct store *, char *err, size_t errlen);
/* What table span_tick has to hold, from the rows. */
extern const char schema_ticks_sql[];
/* The SELECT list of a row: n, id, rev, tenant, family, edits, columns. */
extern const char store_row_sql[];

/* blur.c: takes the bodies out of rows until none is left or the time (clock_mono_us) has come. */
int	 store_blur(struct store *, const struct store_retention *, uint64_t until, bool *more);
/* functions.c: what SQL asks of rows besides; a code of SQLite. */
int	 store_functions(struct store *);

/* put.c */
/* Puts the span's body in place of what is there, less what people wrote and read. */
int	 store_put_blurred(struct store *, int64_t n, const struct span *);
int	 store_put(struct store *, const struct span *, struct slice chain);
enum store_billed store_billed(const struct store *);

/* same.c: codes of SQLite */
int	 same_find(struct store *, const struct span *, struct slice tenant, int64_t *n, uint8_t id[16]);
int	 same_note(struct store *, const struct span *, struct slice tenant, int64_t n);
int	 same_alias(struct store *, const uint8_t id[16], const uint8_t first[16]);

/* put.c: the members in the metadata table, in place of those of the same keys. */
int	 put_meta_again(struct store *, int64_t n, struct jvalue metadata);

/* score.c: what an EDIT says of one (edit.c has its members), and takes away. */
int	 score_put(struct store *, int64_t n, struct jvalue score);
int	 score_remove(struct store *, int64_t n, struct jvalue id);

/* public.c: what an EDIT says of a trace that is to be public, or no more. */
int	 public_edit(struct store *, struct jvalue);

/* edit.c */
int	 store_edit(struct store *, const uint8_t target[16], struct slice edit);
/* Applies what waits for target to the span of that id, which is there now. */
int	 edit_pending(struct store *, const uint8_t target[16], const uint8_t id[16]);

/* expire.c */
/* The number of the row of an id, also of one that became another's. */
int	 store_find(struct store *, const uint8_t id[16], int64_t *n);
/* Takes a row out with all that was built of it; what people changed of it stays. */
/* Sets after how many pages the log is worked off. */
void	 store_checkpoints(struct store *);
int	 store_take_out(struct store *, int64_t n, const uint8_t id[16]);
int	 store_expire(struct store *, int64_t before_us, uint64_t max_bytes, unsigned steps);
int	 store_retain(struct store *, const struct store_retention *, bool *more);
/* An id that arrived before the time is less than these bytes. */
void	 store_id_limit(int64_t before_us, uint8_t id[6]);
int	 store_remove(struct store *, const uint8_t id[16]);
uint64_t store_size(struct store *);

/* news.c: for the writer. Is there somebody who follows? */
int	 news_open(struct store *);
/* The row has changed and has the newest revision: to be told to who follows. */
int	 news_changed(struct store *, int64_t n);
int	 news_follow(struct store *, bool on, int64_t upto);
int	 news_look(struct store *, const struct store_place *, struct store_news *);
int	 news_begin(struct store *, bool from_start, struct store_place *);
int	 news_of(struct store *, const uint8_t id[16], struct store_new *);

/* scope.c */
int	 store_scope(struct store *, struct slice tenant, struct slice environment);

/* rows.c */
extern const char rows_from_sql[];	/* FROM, with the edits */
int	 rows_prepare(struct store *, struct buf *sql, sqlite3_stmt **);	/* frees the buf; a code of SQLite */
/* Binds from number `first` on; gives the number after them. */
int	 rows_bind(sqlite3_stmt *, const struct query_sql *, int first);
int	 store_select(struct store *, const struct query *, struct store_rows **);
int	 store_select_numbers(struct store *, const int64_t *, size_t, struct store_rows **);
int	 store_next(struct store_rows *, const struct span **);
int64_t	 store_row_number(const struct store_rows *);
void	 store_done(struct store_rows *);

/* count.c */
struct rows_skip {
	bool		 from;		/* the rest begins at that time; descending: before it */
	int64_t		 from_us;
	uint64_t	 offset;	/* rows to pass over from there on */
};
/* Where a list by time begins, after its offset; a code of SQLite. */
int	 rows_skip(struct store *, const struct query *, struct rows_skip *);
/* From now on a step may take as long as the query says. */
void	 rows_hurry(struct store *, const struct query *);
int	 store_count(struct store *, const struct query *, uint64_t *);
int	 store_count_upto(struct store *, const struct query *, uint64_t most, uint64_t *);

#endif
