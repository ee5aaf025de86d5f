#include "recorderd/pqfile.h"

#include <string.h>

#include "libcore/check.h"

#define DEPTH_MAX 16
#define LIST_MAX  (1u << 20)

/* Types of the compact protocol. */
enum {
	T_STOP = 0,
	T_TRUE = 1,
	T_FALSE = 2,
	T_BYTE = 3,
	T_I16 = 4,
	T_I32 = 5,
	T_I64 = 6,
	T_DOUBLE = 7,
	T_BINARY = 8,
	T_LIST = 9,
	T_SET = 10,
	T_MAP = 11,
	T_STRUCT = 12,
};

struct in {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

static uint64_t
uv(struct in *in)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (in->p == in->end)
			break;
		uint8_t b = *in->p++;

		v |= (uint64_t)(b & 127) << shift;
		if (b < 128)
			return v;
	}
	in->bad = true;
	return 0;
}

static int64_t
zz(struct in *in)
{
	uint64_t v = uv(in);

	return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

static struct pqfile_text
binary(struct in *in)
{
	uint64_t n = uv(in);
	struct pqfile_text t = {in->p, (uint32_t)n};

	if (in->bad || n > (size_t)(in->end - in->p)) {
		in->bad = true;
		return (struct pqfile_text){0};
	}
	in->p += n;
	return t;
}

/* The next field of a struct: its type, T_STOP at the end. */
static int
field(struct in *in, int *id)
{
	if (in->bad || in->p == in->end) {
		in->bad = true;
		return T_STOP;
	}
	uint8_t b = *in->p++;

	if (b == 0)
		return T_STOP;
	if (b >> 4 != 0)
		*id += b >> 4;
	else
		*id = (int)zz(in);
	return b & 15;
}

static uint32_t
list(struct in *in, int *of)
{
	if (in->bad || in->p == in->end) {
		in->bad = true;
		return 0;
	}
	uint8_t b = *in->p++;
	uint64_t n = b >> 4 == 15 ? uv(in) : b >> 4;

	*of = b & 15;
	/* An element takes a byte at least, except of nothing. */
	if (n > LIST_MAX || n > (size_t)(in->end - in->p))
		in->bad = true;
	return in->bad ? 0 : (uint32_t)n;
}

struct level {
	uint32_t left; /* elements of a list                              */
	int of;
	bool is_struct;
};

/* Begin a value of this type. True when it is done already. */
static bool
skip_open(struct in *in, int type, struct level *l)
{
	switch (type) {
	case T_TRUE:
	case T_FALSE: return true;
	case T_BYTE:
		in->bad = in->bad || in->p == in->end;
		in->p += !in->bad;
		return true;
	case T_I16:
	case T_I32:
	case T_I64: uv(in); return true;
	case T_DOUBLE:
		in->bad = in->bad || in->end - in->p < 8;
		in->p += in->bad ? 0 : 8;
		return true;
	case T_BINARY: binary(in); return true;
	case T_LIST:
	case T_SET:
		l->is_struct = false;
		l->left = list(in, &l->of);
		/* Booleans in a list take a byte each. */
		if (l->of == T_TRUE || l->of == T_FALSE)
			l->of = T_BYTE;
		return false;
	case T_STRUCT: l->is_struct = true; return false;
	default: in->bad = true; return true;
	}
}

/* Over one value of any type, however nested (DEPTH_MAX). */
static void
skip(struct in *in, int type)
{
	struct level stack[DEPTH_MAX];
	unsigned depth = 0;
	int id = 0;

	if (skip_open(in, type, &stack[0]))
		return;
	depth = 1;
	while (depth > 0 && !in->bad) {
		struct level *l = &stack[depth - 1];
		int t = l->is_struct  ? field(in, &id)
			: l->left > 0 ? l->of
				      : T_STOP;

		if (t == T_STOP) {
			depth--;
			continue;
		}
		if (!l->is_struct)
			l->left--;
		if (depth == DEPTH_MAX) {
			in->bad = true;
			return;
		}
		if (!skip_open(in, t, &stack[depth]))
			depth++;
	}
}

/* ---- footer ---- */

uint32_t
pqfile_foot_len(const uint8_t tail[PQFILE_TAIL])
{
	uint32_t n;

	if (memcmp(tail + 4, "PAR1", 4) != 0)
		return 0;
	memcpy(&n, tail, sizeof(n));
	return n <= PQFILE_FOOT_MAX ? n : 0;
}

static void
schema(struct pqfile *f, struct in *in)
{
	int of = 0;
	uint32_t n = list(in, &of);

	in->bad = in->bad || of != T_STRUCT || n < 2 || n > PQ_COLS_MAX + 1;
	for (uint32_t i = 0; i < n && !in->bad; i++) {
		struct pqfile_column c = {.type = -1};
		int64_t children = 0;
		int64_t repetition = 0;
		int id = 0;
		int t;

		while ((t = field(in, &id)) != T_STOP) {
			if (id == 1 && t == T_I32)
				c.type = (int32_t)zz(in);
			else if (id == 3 && t == T_I32)
				repetition = zz(in);
			else if (id == 4 && t == T_BINARY)
				c.name = binary(in);
			else if (id == 5 && t == T_I32)
				children = zz(in);
			else
				skip(in, t);
		}
		if (i == 0)
			continue;
		c.optional = repetition == 1;
		in->bad = in->bad || children != 0 || repetition > 1 ||
			  (c.type != 1 && c.type != 2 && c.type != 6);
		f->col[f->col_n++] = c;
	}
}

static void
key_values(struct pqfile *f, struct in *in)
{
	int of = 0;
	uint32_t n = list(in, &of);

	in->bad = in->bad || of != T_STRUCT;
	for (uint32_t i = 0; i < n && !in->bad; i++) {
		struct pqfile_text kv[2] = {{0}, {0}};
		int id = 0;
		int t;

		while ((t = field(in, &id)) != T_STOP) {
			if ((id == 1 || id == 2) && t == T_BINARY)
				kv[id - 1] = binary(in);
			else
				skip(in, t);
		}
		if (f->kv_n == PQFILE_KV_MAX)
			continue;
		f->kv[f->kv_n].key = kv[0];
		f->kv[f->kv_n++].value = kv[1];
	}
}

bool
pqfile_parse(struct pqfile *f, const uint8_t *foot, size_t len)
{
	struct in in = {foot, foot + len, false};
	int id = 0;
	int of = 0;
	int t;

	memset(f, 0, sizeof(*f));
	f->foot = foot;
	f->len = len;
	while ((t = field(&in, &id)) != T_STOP) {
		if (id == 2 && t == T_LIST && f->col_n == 0) {
			schema(f, &in);
		} else if (id == 3 && t == T_I64) {
			f->rows = (uint64_t)zz(&in);
		} else if (id == 4 && t == T_LIST && f->groups_at == 0) {
			f->groups = list(&in, &of);
			in.bad = in.bad || of != T_STRUCT;
			f->groups_at = (size_t)(in.p - foot);
			for (uint32_t g = 0; g < f->groups && !in.bad; g++)
				skip(&in, T_STRUCT);
		} else if (id == 5 && t == T_LIST) {
			key_values(f, &in);
		} else {
			skip(&in, t);
		}
	}
	return !in.bad && f->col_n > 0 && f->groups_at > 0;
}

/* ---- row groups ---- */

/* A bound of an integer column, as it is stored. */
static void
bound(struct pqfile_chunk *c, struct pqfile_text t, bool is_max)
{
	int64_t v = 0;
	int32_t w = 0;

	if (is_max)
		c->max_text = t;
	else
		c->min_text = t;
	if (c->type == 6)
		return;
	if (c->type == 2 && t.len == 8) {
		memcpy(&v, t.p, 8);
	} else if (c->type == 1 && t.len == 4) {
		memcpy(&w, t.p, 4);
		v = w;
	} else {
		c->has_range = false;
		return;
	}
	if (is_max)
		c->max = v;
	else
		c->min = v;
}

static void
statistics(struct pqfile_chunk *c, struct in *in)
{
	struct pqfile_text min = {0};
	struct pqfile_text max = {0};
	int id = 0;
	int t;

	while ((t = field(in, &id)) != T_STOP) {
		if (id == 3 && t == T_I64)
			c->nulls = (uint64_t)zz(in);
		else if (id == 5 && t == T_BINARY)
			max = binary(in);
		else if (id == 6 && t == T_BINARY)
			min = binary(in);
		else
			skip(in, t);
	}
	c->has_range = min.p != NULL && max.p != NULL;
	if (!c->has_range)
		return;
	bound(c, min, false);
	bound(c, max, true);
}

static void
chunk_meta(struct pqfile_chunk *c, struct in *in)
{
	int64_t dict_at = -1;
	int id = 0;
	int t;

	while ((t = field(in, &id)) != T_STOP) {
		if (id == 1 && t == T_I32)
			c->type = (int32_t)zz(in);
		else if (id == 4 && t == T_I32)
			c->codec = (int32_t)zz(in);
		else if (id == 5 && t == T_I64)
			c->values = (uint64_t)zz(in);
		else if (id == 7 && t == T_I64)
			c->len = (uint64_t)zz(in);
		else if (id == 9 && t == T_I64)
			c->data_at = (uint64_t)zz(in);
		else if (id == 11 && t == T_I64)
			dict_at = zz(in);
		else if (id == 12 && t == T_STRUCT)
			statistics(c, in);
		else
			skip(in, t);
	}
	c->has_dict = dict_at > 0 && (uint64_t)dict_at < c->data_at;
	c->at = c->has_dict ? (uint64_t)dict_at : c->data_at;
}

static void
chunks(const struct pqfile *f, struct in *in, struct pqfile_group *g)
{
	int of = 0;
	uint32_t n = list(in, &of);

	in->bad = in->bad || of != T_STRUCT || n != f->col_n;
	for (uint32_t i = 0; i < n && !in->bad; i++) {
		int id = 0;
		int t;

		while ((t = field(in, &id)) != T_STOP) {
			if (id == 3 && t == T_STRUCT)
				chunk_meta(&g->chunk[i], in);
			else
				skip(in, t);
		}
		in->bad = in->bad || g->chunk[i].type != f->col[i].type;
	}
}

bool
pqfile_group_next(const struct pqfile *f, size_t *pos, struct pqfile_group *g)
{
	CHECK(*pos <= f->len);
	struct in in = {f->foot + *pos, f->foot + f->len, false};
	bool has_chunks = false;
	int id = 0;
	int t;

	memset(g, 0, sizeof(*g));
	while ((t = field(&in, &id)) != T_STOP) {
		if (id == 1 && t == T_LIST && !has_chunks) {
			chunks(f, &in, g);
			has_chunks = true;
		} else if (id == 3 && t == T_I64) {
			g->rows = (uint64_t)zz(&in);
		} else {
			skip(&in, t);
		}
	}
	*pos = (size_t)(in.p - f->foot);
	if (in.bad || !has_chunks || g->rows > PQ_ROWS_MAX)
		return false;
	for (uint32_t i = 0; i < f->col_n; i++)
		if (g->chunk[i].values != g->rows)
			return false;
	return true;
}

static bool
is_text(struct pqfile_text t, const char *s)
{
	size_t n = strlen(s);

	return t.len == n && memcmp(t.p, s, n) == 0;
}

int
pqfile_column_find(const struct pqfile *f, const char *name)
{
	for (uint32_t i = 0; i < f->col_n; i++)
		if (is_text(f->col[i].name, name))
			return (int)i;
	return -1;
}

struct pqfile_text
pqfile_kv(const struct pqfile *f, const char *key)
{
	for (uint32_t i = 0; i < f->kv_n; i++)
		if (is_text(f->kv[i].key, key))
			return f->kv[i].value;
	return (struct pqfile_text){0};
}

/* ---- pages ---- */

static void
page_body(struct pqfile_page *page, struct in *in)
{
	int id = 0;
	int t;

	while ((t = field(in, &id)) != T_STOP) {
		if (id == 1 && t == T_I32)
			page->values = (uint32_t)zz(in);
		else if (id == 2 && t == T_I32)
			page->encoding = (int32_t)zz(in);
		else
			skip(in, t);
	}
}

bool
pqfile_page_parse(struct pqfile_page *page, const uint8_t *p, size_t n)
{
	struct in in = {p, p + n, false};
	int64_t plain = -1;
	int64_t comp = -1;
	int id = 0;
	int t;

	memset(page, 0, sizeof(*page));
	page->type = -1;
	while ((t = field(&in, &id)) != T_STOP) {
		if (id == 1 && t == T_I32)
			page->type = (int32_t)zz(&in);
		else if (id == 2 && t == T_I32)
			plain = zz(&in);
		else if (id == 3 && t == T_I32)
			comp = zz(&in);
		else if ((id == 5 || id == 7) && t == T_STRUCT)
			page_body(page, &in);
		else
			skip(&in, t);
	}
	page->head_len = (size_t)(in.p - p);
	if (in.bad || plain < 0 || comp < 0 || plain > INT32_MAX ||
	    comp > INT32_MAX || page->values > PQ_ROWS_MAX)
		return false;
	page->plain_sz = (uint32_t)plain;
	page->comp_sz = (uint32_t)comp;
	return true;
}
