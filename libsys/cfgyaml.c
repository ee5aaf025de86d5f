/* One YAML file: group, name, value; everything else is an error with its
 * place. Events are pulled one at a time; nothing is kept of the file. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "libcore/check.h"
#include "libshm/cfgitem.h"
#include "libsys/cfgfile_int.h"

#define NAME_SZ	  64
#define DEPTH_MAX 32
#define WHERE_SZ  (CFGFILE_PATH_SZ + 32)

struct reader {
	struct cfg_load *l;
	yaml_parser_t parser;
	yaml_event_t ev;
	const char *path;
	const char *bytes;
	size_t bytes_n;
	uint32_t file_idx;
	char group[NAME_SZ];
	char group_seen[CFG_KEY_N][NAME_SZ];
	size_t group_n;
	uint32_t seen_line[CFG_KEY_N];
	bool stop; /* the rest of the file cannot be read */
};

/* Where the event at hand begins. */
static const char *
where(const struct reader *r, char buf[WHERE_SZ])
{
	snprintf(buf, WHERE_SZ, "%s:%zu:%zu", r->path,
	    r->ev.start_mark.line + 1, r->ev.start_mark.column + 1);
	return buf;
}

/* The reader of libyaml knows the offset of a bad byte, not its line. */
static void
bad_bytes(struct reader *r)
{
	size_t end = r->parser.problem_offset;
	size_t line = 1;
	size_t column = 1;

	for (size_t i = 0; i < end && i < r->bytes_n; i++) {
		bool is_end = r->bytes[i] == '\n';

		line += is_end;
		column = is_end ? 1 : column + 1;
	}
	cfgload_error(r->l, "%s:%zu:%zu: %s", r->path, line, column,
	    strcmp(r->parser.problem, "control characters are not allowed") == 0
		? "control characters are not allowed"
		: "not UTF-8");
}

static bool
next(struct reader *r)
{
	const yaml_mark_t *m = &r->parser.problem_mark;

	yaml_event_delete(&r->ev);
	if (r->stop)
		return false;
	if (yaml_parser_parse(&r->parser, &r->ev) == 1)
		return true;
	memset(&r->ev, 0, sizeof(r->ev));
	r->stop = true;
	if (r->parser.error == YAML_READER_ERROR)
		bad_bytes(r);
	else
		cfgload_error(r->l, "%s:%zu:%zu: %s%s%s", r->path, m->line + 1,
		    m->column + 1,
		    r->parser.problem != NULL ? r->parser.problem
					      : "cannot be read",
		    r->parser.context != NULL ? ", " : "",
		    r->parser.context != NULL ? r->parser.context : "");
	return false;
}

static void
fail(struct reader *r, const char *what)
{
	char at[WHERE_SZ];

	cfgload_error(r->l, "%s: %s", where(r, at), what);
}

/* Anchors, aliases and tags change what a reader of the file sees: refused. */
static bool
is_plain_node(struct reader *r)
{
	const yaml_char_t *anchor = NULL;
	const yaml_char_t *tag = NULL;

	if (r->ev.type == YAML_SCALAR_EVENT) {
		anchor = r->ev.data.scalar.anchor;
		tag = r->ev.data.scalar.tag;
	} else if (r->ev.type == YAML_MAPPING_START_EVENT) {
		anchor = r->ev.data.mapping_start.anchor;
		tag = r->ev.data.mapping_start.tag;
	} else if (r->ev.type == YAML_SEQUENCE_START_EVENT) {
		anchor = r->ev.data.sequence_start.anchor;
		tag = r->ev.data.sequence_start.tag;
	} else if (r->ev.type == YAML_ALIAS_EVENT) {
		fail(r, "aliases (*name) are not allowed");
		return false;
	}
	if (anchor != NULL)
		fail(r, "anchors (&name) are not allowed");
	if (tag != NULL)
		fail(r, "tags (!name) are not allowed");
	return anchor == NULL && tag == NULL;
}

/* Go to the end of the node that the event at hand begins. */
static void
skip_node(struct reader *r)
{
	size_t depth = 0;

	do {
		yaml_event_type_t t = r->ev.type;

		if (t == YAML_MAPPING_START_EVENT ||
		    t == YAML_SEQUENCE_START_EVENT)
			depth++;
		else if (t == YAML_MAPPING_END_EVENT ||
			 t == YAML_SEQUENCE_END_EVENT)
			depth--;
		if (depth > DEPTH_MAX) {
			fail(r, "nested too deeply");
			r->stop = true;
		}
	} while (depth > 0 && next(r));
}

static const char *
scalar_text(const struct reader *r)
{
	return (const char *)r->ev.data.scalar.value;
}

/* No value at all: `key:` alone, or YAML's words for it, unquoted. */
static bool
is_null(const struct reader *r)
{
	const char *s = scalar_text(r);

	return r->ev.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (s[0] == '\0' || strcmp(s, "~") == 0 || strcmp(s, "null") == 0);
}

/* The event at hand as the name of a group or key; false when it is none. */
static bool
take_name(struct reader *r, char name[NAME_SZ])
{
	if (!is_plain_node(r) || r->ev.type != YAML_SCALAR_EVENT) {
		if (r->ev.type != YAML_SCALAR_EVENT &&
		    r->ev.type != YAML_ALIAS_EVENT)
			fail(r, "a name is expected here");
		skip_node(r);
		return false;
	}
	if (r->ev.data.scalar.length >= NAME_SZ ||
	    strlen(scalar_text(r)) != r->ev.data.scalar.length) {
		fail(r, "name too long");
		return false;
	}
	memcpy(name, scalar_text(r), r->ev.data.scalar.length + 1);
	return true;
}

static struct cfg_origin
origin_of(const struct reader *r)
{
	return (struct cfg_origin){
	    .from = CFG_FROM_FILE,
	    .file_idx = r->file_idx,
	    .line = (uint32_t)r->ev.start_mark.line + 1,
	    .column = (uint32_t)r->ev.start_mark.column + 1,
	};
}

static void
fail_key(struct reader *r, size_t key, const char *what)
{
	const struct cfg_key *k = cfg_key_at(key);
	char at[WHERE_SZ];
	char allowed[CFG_WHY_SZ];

	cfg_allowed(key, allowed);
	cfgload_error(r->l, "%s: %s.%s: %s; allowed: %s", where(r, at),
	    k->group, k->name, what, allowed);
}

static void
take_scalar(struct reader *r, size_t key)
{
	const char *text = scalar_text(r);
	struct cfg_origin o = origin_of(r);
	char at[WHERE_SZ];

	if (is_null(r))
		fail_key(r, key, "has no value");
	else if (strlen(text) != r->ev.data.scalar.length)
		fail_key(r, key, "holds control characters");
	else
		cfgload_set(r->l, key, text, &o, where(r, at));
}

/* The item at hand, so that its own place is told. */
static bool
item_ok(struct reader *r, size_t key, const char *item)
{
	const struct cfg_key *k = cfg_key_at(key);
	char at[WHERE_SZ];

	if (cfg_item_ok(key, item, strlen(item)))
		return true;
	cfgload_error(r->l, "%s: %s.%s: \"%.40s\" is no such item; each is: %s",
	    where(r, at), k->group, k->name, item, cfg_item_form(key));
	return false;
}

/* Items joined by commas, which is how cfg_set takes a list. */
static bool
take_items(struct reader *r, size_t key, char text[CFG_TEXT_SZ])
{
	size_t len = 0;
	size_t n = 0;
	bool ok = true;

	text[0] = '\0';
	while (next(r) && r->ev.type != YAML_SEQUENCE_END_EVENT) {
		const char *item;

		if (!is_plain_node(r) || r->ev.type != YAML_SCALAR_EVENT) {
			if (r->ev.type != YAML_SCALAR_EVENT &&
			    r->ev.type != YAML_ALIAS_EVENT)
				fail_key(r, key, "items must be texts");
			skip_node(r);
			ok = false;
			continue;
		}
		item = scalar_text(r);
		if (is_null(r) || item[strcspn(item, ",")] != '\0' ||
		    strlen(item) != r->ev.data.scalar.length) {
			fail_key(r, key, "an item is empty or holds a comma");
			ok = false;
			continue;
		}
		if (len + strlen(item) + 3 > CFG_TEXT_SZ) {
			fail_key(r, key, "has too many items");
			ok = false;
			continue;
		}
		if (!item_ok(r, key, item)) {
			ok = false;
			continue;
		}
		len += (size_t)snprintf(text + len, CFG_TEXT_SZ - len, "%s%s",
		    n++ > 0 ? ", " : "", item);
	}
	return ok && !r->stop;
}

static void
take_list(struct reader *r, size_t key)
{
	struct cfg_origin o = origin_of(r);
	char text[CFG_TEXT_SZ];
	char at[WHERE_SZ];

	if (cfg_key_at(key)->type != CFG_LIST) {
		fail_key(r, key, "takes one value, not a list");
		skip_node(r);
		return;
	}
	where(r, at);
	if (take_items(r, key, text))
		cfgload_set(r->l, key, text, &o, at);
}

static void
take_value(struct reader *r, size_t key)
{
	if (!is_plain_node(r))
		skip_node(r);
	else if (r->ev.type == YAML_SCALAR_EVENT)
		take_scalar(r, key);
	else if (r->ev.type == YAML_SEQUENCE_START_EVENT)
		take_list(r, key);
	else {
		fail_key(r, key, "takes a value, not a group");
		skip_node(r);
	}
}

static void
unknown_key(struct reader *r, const char *name)
{
	int guess = cfgload_guess(r->group, name);
	char at[WHERE_SZ];

	if (guess < 0)
		cfgload_error(r->l, "%s: %s.%s: unknown key", where(r, at),
		    r->group, name);
	else
		cfgload_error(r->l,
		    "%s: %s.%s: unknown key; did you mean %s.%s?", where(r, at),
		    r->group, name, cfg_key_at((size_t)guess)->group,
		    cfg_key_at((size_t)guess)->name);
}

/* name: value, the name being the event at hand. */
static void
take_key(struct reader *r)
{
	char name[NAME_SZ];
	char at[WHERE_SZ];
	bool wanted = take_name(r, name);
	int key = wanted ? cfg_key_find(r->group, name) : -1;

	if (wanted && key < 0)
		unknown_key(r, name);
	if (key >= 0 && r->seen_line[key] != 0) {
		cfgload_error(r->l, "%s: %s.%s: already set at line %u",
		    where(r, at), r->group, name, r->seen_line[key]);
		key = -1;
	}
	if (key >= 0)
		r->seen_line[key] = (uint32_t)r->ev.start_mark.line + 1;
	if (!next(r))
		return;
	if (key >= 0)
		take_value(r, (size_t)key);
	else
		skip_node(r);
}

static void
unknown_group(struct reader *r)
{
	const char *guess = cfgload_guess_group(r->group);
	const char *dot = strchr(r->group, '.');
	char at[WHERE_SZ];

	where(r, at);
	if (dot != NULL)
		cfgload_error(r->l,
		    "%s: %s: unknown group; write \"%.*s:\" and below it, "
		    "indented, \"%s:\"",
		    at, r->group, (int)(dot - r->group), r->group, dot + 1);
	else if (guess != NULL)
		cfgload_error(r->l, "%s: %s: unknown group; did you mean %s?",
		    at, r->group, guess);
	else
		cfgload_error(r->l, "%s: %s: unknown group", at, r->group);
}

static bool
first_time(struct reader *r)
{
	char at[WHERE_SZ];

	for (size_t i = 0; i < r->group_n; i++) {
		if (strcmp(r->group_seen[i], r->group) != 0)
			continue;
		cfgload_error(r->l, "%s: %s: this group came before",
		    where(r, at), r->group);
		return false;
	}
	if (r->group_n < CFG_KEY_N)
		memcpy(r->group_seen[r->group_n++], r->group, NAME_SZ);
	return true;
}

/* group: and its keys, the group's name being the event at hand. */
static void
take_group(struct reader *r)
{
	bool wanted = take_name(r, r->group);

	if (wanted && cfg_group_doc(r->group) == NULL) {
		unknown_group(r);
		wanted = false;
	}
	wanted = wanted && first_time(r);
	if (!next(r))
		return;
	if (!wanted || !is_plain_node(r)) {
		skip_node(r);
		return;
	}
	if (r->ev.type == YAML_SCALAR_EVENT && is_null(r))
		return;
	if (r->ev.type != YAML_MAPPING_START_EVENT) {
		fail(r, "keys of the group are expected here, `name: value`");
		skip_node(r);
		return;
	}
	while (next(r) && r->ev.type != YAML_MAPPING_END_EVENT)
		take_key(r);
}

static void
take_document(struct reader *r)
{
	if (!is_plain_node(r)) {
		skip_node(r);
		return;
	}
	if (r->ev.type == YAML_SCALAR_EVENT && is_null(r))
		return;
	if (r->ev.type != YAML_MAPPING_START_EVENT) {
		fail(r, "groups are expected here, `group:`");
		skip_node(r);
		return;
	}
	while (next(r) && r->ev.type != YAML_MAPPING_END_EVENT)
		take_group(r);
}

static void
take_stream(struct reader *r)
{
	size_t document_n = 0;

	while (next(r) && r->ev.type != YAML_STREAM_END_EVENT) {
		if (r->ev.type != YAML_DOCUMENT_START_EVENT)
			continue;
		if (document_n++ > 0) {
			fail(r, "only one document is allowed in a file");
			return;
		}
		if (next(r))
			take_document(r);
	}
}

/* The bytes of a regular file of bounded size; NULL with the error kept. */
static char *
read_file(struct cfg_load *l, const char *path, size_t *n)
{
	struct stat st;
	char *bytes = NULL;
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		cfgload_error(l, "%s: %s", path, strerror(errno));
		return NULL;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		cfgload_error(l, "%s: not a regular file", path);
		goto fail;
	}
	if (st.st_size > CFGFILE_SZ_MAX) {
		cfgload_error(l,
		    "%s: %lld bytes; a configuration has at most "
		    "%d",
		    path, (long long)st.st_size, CFGFILE_SZ_MAX);
		goto fail;
	}
	bytes = malloc(CFGFILE_SZ_MAX + 1);
	CHECK(bytes != NULL);
	for (*n = 0; *n <= CFGFILE_SZ_MAX; *n += (size_t)got) {
		got = read(fd, bytes + *n, CFGFILE_SZ_MAX + 1 - *n);
		if (got < 0 && errno == EINTR)
			got = 0;
		else if (got < 0) {
			cfgload_error(l, "%s: %s", path, strerror(errno));
			goto fail;
		} else if (got == 0)
			break;
	}
	close(fd);
	return bytes;
fail:
	free(bytes);
	close(fd);
	return NULL;
}

void
cfgload_yaml_bytes(
    struct cfg_load *l, const char *path, const char *bytes, size_t n)
{
	struct reader *r = calloc(1, sizeof(*r));

	CHECK(r != NULL);
	CHECK(l->path_n > 0);
	CHECK(yaml_parser_initialize(&r->parser) == 1);
	r->l = l;
	r->path = path;
	r->bytes = bytes;
	r->bytes_n = n;
	r->file_idx = (uint32_t)l->path_n - 1;
	yaml_parser_set_input_string(
	    &r->parser, (const unsigned char *)bytes, n);
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	take_stream(r);
	yaml_event_delete(&r->ev);
	yaml_parser_delete(&r->parser);
	free(r);
}

void
cfgload_yaml(struct cfg_load *l, const char *path)
{
	size_t n;
	char *bytes = read_file(l, path, &n);

	if (bytes == NULL)
		return;
	cfgload_yaml_bytes(l, path, bytes, n);
	free(bytes);
}
