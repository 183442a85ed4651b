/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main() of a fuzz target where libFuzzer is not linked: replays the files
 * named on the command line, or else the target's committed corpus and then a
 * fixed number of seeded random mutations of it, the same ones each time.
 * An input that makes the target abort is left in crash-NAME.
 *
 * TOP_SRCDIR tells where the corpus is, FUZZ_RUNS (a number) replaces the
 * number of mutations, FUZZ_SEED the seed.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_MAX (1024 * 1024)		/* bytes of an input that is read */
#define MUTANT_MAX 16384		/* bytes of an input that is made up */
#define RUNS 20000			/* mutations, well under 2 s with ASan, */
#define RUN_BYTES (16 * 1024 * 1024)	/* but no more than these bytes of them */

struct input {
	unsigned char	*ptr;
	size_t		 len;
};

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);
void	 __sanitizer_set_death_callback(void (*)(void)) __attribute__((weak));

static struct input	*corpus;
static size_t		 ncorpus;
static struct input	 current;	/* what the target is working on */
static char		 crash_name[128];
static uint64_t		 random_state;

static uint64_t
random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static size_t
random_below(size_t n)
{
	return n ? random_next() % n : 0;
}

/* Leaves the input that broke the target in the working directory. */
static void
crash_save(void)
{
	int fd = open(crash_name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n;

	if (fd < 0)
		return;
	n = write(fd, current.ptr, current.len);
	(void)n;
	close(fd);
}

static void
crash_signal(int sig)
{
	crash_save();
	signal(sig, SIG_DFL);
	raise(sig);
}

static void
crash_watch(const char *name)
{
	static const int signals[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL };
	size_t i;

	snprintf(crash_name, sizeof(crash_name), "crash-%s", name);
	if (__sanitizer_set_death_callback != NULL) {
		__sanitizer_set_death_callback(crash_save);
		signal(SIGABRT, crash_signal);
		return;
	}
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], crash_signal);
}

/* Runs the target on a copy of exactly the input's size, so that a read
 * beyond its end is seen. */
static void
run_one(const unsigned char *p, size_t len)
{
	current.ptr = malloc(len ? len : 1);
	current.len = len;
	if (current.ptr == NULL)
		exit(1);
	if (len > 0)
		memcpy(current.ptr, p, len);
	LLVMFuzzerTestOneInput(current.ptr, len);
	free(current.ptr);
	current.ptr = NULL;
	current.len = 0;
}

static void
corpus_add(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct input in = { malloc(INPUT_MAX), 0 };

	if (f == NULL || in.ptr == NULL) {
		printf("Bail out! %s cannot be read\n", path);
		exit(1);
	}
	in.len = fread(in.ptr, 1, INPUT_MAX, f);
	fclose(f);
	in.ptr = realloc(in.ptr, in.len ? in.len : 1);
	corpus = realloc(corpus, (ncorpus + 1) * sizeof(*corpus));
	if (corpus == NULL || in.ptr == NULL)
		exit(1);
	corpus[ncorpus++] = in;
}

static int
visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* Reads a file, or each file of a directory in the order of their names. */
static void
corpus_read(const char *path)
{
	struct dirent **names;
	struct stat st;
	char file[4096];
	int i, n;

	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
		corpus_add(path);
		return;
	}
	n = scandir(path, &names, visible, alphasort);
	for (i = 0; i < n; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
		corpus_add(file);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

/* Puts n bytes from p at offset `at` of a mutant; what does not fit is left out. */
static void
mutant_insert(struct input *m, size_t at, const unsigned char *p, size_t n)
{
	unsigned char copy[256];

	if (n > sizeof(copy))
		n = sizeof(copy);
	if (n > MUTANT_MAX - m->len)
		n = MUTANT_MAX - m->len;
	if (n == 0)
		return;
	memcpy(copy, p, n);
	memmove(m->ptr + at + n, m->ptr + at, m->len - at);
	memcpy(m->ptr + at, copy, n);
	m->len += n;
}

static void
mutant_delete(struct input *m, size_t at, size_t n)
{
	if (n > m->len - at)
		n = m->len - at;
	memmove(m->ptr + at, m->ptr + at + n, m->len - at - n);
	m->len -= n;
}

/* Takes over everything behind a random place from another input. */
static void
mutant_splice(struct input *m, size_t at)
{
	const struct input *other = &corpus[random_below(ncorpus)];
	size_t from = random_below(other->len), n = other->len - from;

	if (n > MUTANT_MAX - at)
		n = MUTANT_MAX - at;
	if (n > 0)
		memcpy(m->ptr + at, other->ptr + from, n);
	m->len = at + n;
}

/* One random change. The odd bytes are those that formats are made of. */
static void
mutant_change(struct input *m)
{
	static const unsigned char odd[] =
	    "\r\n \t:;,.\"\\{}[]0123456789abcdefxtrue\377\200\001\177-+%=/?";
	const struct input *other = &corpus[random_below(ncorpus)];
	size_t at = random_below(m->len + 1), from = random_below(other->len);
	unsigned char c = odd[random_below(sizeof(odd))];

	switch (random_below(8)) {
	case 0:
		if (at < m->len)
			m->ptr[at] ^= (unsigned char)(1u << random_below(8));
		break;
	case 1:
		if (at < m->len)
			m->ptr[at] = c;
		break;
	case 2:
		mutant_insert(m, at, &c, 1);
		break;
	case 3:
		mutant_delete(m, at, 1 + random_below(8));
		break;
	case 4:
		mutant_insert(m, at, other->ptr + from,
		    random_below(other->len - from));
		break;
	case 5:
		mutant_delete(m, at, random_below(m->len - at));
		break;
	case 6:
		mutant_splice(m, at);
		break;
	case 7:
		if (at < m->len)
			m->ptr[at] = (unsigned char)random_next();
		break;
	}
}

/* Gives the number of mutants that were run. */
static size_t
run_mutants(size_t runs)
{
	unsigned char *bytes = malloc(MUTANT_MAX);
	size_t i, n, total = 0;
	struct input m;

	if (bytes == NULL)
		exit(1);
	for (i = 0; i < runs && total < RUN_BYTES; i++) {
		const struct input *from = &corpus[random_below(ncorpus)];

		m.ptr = bytes;
		m.len = from->len < MUTANT_MAX ? from->len : MUTANT_MAX;
		memcpy(m.ptr, from->ptr, m.len);
		for (n = 1 + random_below(4); n > 0; n--)
			mutant_change(&m);
		run_one(m.ptr, m.len);
		total += m.len;
	}
	free(bytes);
	return i;
}

static void
corpus_run(void)
{
	size_t i;

	for (i = 0; i < ncorpus; i++)
		run_one(corpus[i].ptr, corpus[i].len);
}

static void
corpus_free(void)
{
	size_t i;

	for (i = 0; i < ncorpus; i++)
		free(corpus[i].ptr);
	free(corpus);
}

/* The target's name: that of the program without "_fuzz". */
static const char *
target_name(const char *program)
{
	static char name[64];
	const char *slash = strrchr(program, '/');
	char *tail;

	snprintf(name, sizeof(name), "%s", slash ? slash + 1 : program);
	if ((tail = strstr(name, "_fuzz")) != NULL)
		*tail = '\0';
	return name;
}

int
main(int argc, char **argv)
{
	const char *name = target_name(argv[0]), *top = getenv("TOP_SRCDIR");
	const char *runs = getenv("FUZZ_RUNS"), *seed = getenv("FUZZ_SEED");
	char dir[4096];
	int i;

	random_state = seed ? strtoull(seed, NULL, 0) | 1 : 0x9e3779b97f4a7c15u;
	crash_watch(name);
	for (i = 1; i < argc; i++)
		corpus_read(argv[i]);
	if (argc == 1) {
		snprintf(dir, sizeof(dir), "%s/tests/fuzz/corpus/%s",
		    top ? top : ".", name);
		corpus_read(dir);
	}
	corpus_run();
	printf("%sok 1 - %s: %zu inputs\n", ncorpus ? "" : "not ", name, ncorpus);
	if (argc == 1 && ncorpus > 0)
		printf("ok 2 - %s: %zu mutations\n", name,
		    run_mutants(runs ? strtoul(runs, NULL, 0) : RUNS));
	printf("1..%d\n", argc == 1 && ncorpus > 0 ? 2 : 1);
	corpus_free();
	return ncorpus ? 0 : 1;
}
