/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys_file: DATA/keys, the keys that were made at run time: one line of JSON
 * each, without the keys themselves. Written whole and put in place by rename,
 * by the command line and the API; read by the main thread.
 */
#ifndef BASE_KEYS_FILE_H
#define BASE_KEYS_FILE_H

#include "base/keyring.h"
#include "core/buf.h"

#define KEYS_FILE "keys"

/* The file as a ring; one that is not there is an empty ring, not closed.
 * NULL: err holds a line for people. */
struct keyring	*keys_file_read(const char *data_dir, char *err, size_t errlen);

/* The file while it is changed: nobody else can. */
struct keys_file {
	char		*data_dir;
	int		 lock;
	struct key_config *list;	/* oldest first */
	size_t		 n;
};
/* Makes the data directory where there is none. False: err; nothing to close. */
bool	keys_file_open(struct keys_file *, const char *data_dir, char *err, size_t errlen);
/* Puts it in place, and on disk. */
bool	keys_file_save(struct keys_file *, char *err, size_t errlen);
void	keys_file_close(struct keys_file *);
/* By id or by prefix; NULL: there is none. */
struct key_config *keys_file_find(struct keys_file *, struct slice id);
/* Puts the key in last, with a prefix, salt and hash of its own and the time; its text,
 * KEY_TEXT + 1 bytes, is nowhere else. id NULL: the prefix is its id. What is in
 * `k` goes over into the list. False: err, and nothing was taken. */
bool	keys_file_add(struct keys_file *, struct key_config *k, char *text, char *err, size_t errlen);

/* Takes one out of the list. */
void	keys_file_remove(struct keys_file *, struct key_config *);

/* The one in this process that works by the keys is told that they were
 * changed: keys_file_changed returns when new requests go by them. Registered
 * while no thread that changes keys runs; NULL: nobody. */
void	keys_file_watch(void (*changed)(void *), void *arg);
void	keys_file_changed(void);

/* "gateway", ... as a JSON array. */
void	key_rights_json(unsigned rights, struct buf *);
/* May it be an id, an environment, a tenant: 1 to 64 of a-z A-Z 0-9 _ - . @ */
bool	key_name_plain(struct slice);

#endif
