/* Values of struct cfg as text, both ways, and their ranges. */
#define _GNU_SOURCE
#include "libshm/cfg.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "libcore/check.h"
#include "libshm/cfgitem.h"

#define ECHO_N 40 /* bytes of a bad value that are repeated to the operator */

struct unit {
	const char *name;
	int64_t size;
};

/* Largest first: the formatter takes the first that divides. */
static const struct unit durations[] = {
    {"h", 3600 * NS_PER_S},
    {"m", 60 * NS_PER_S},
    {"s", NS_PER_S},
    {"ms", NS_PER_MS},
    {"us", NS_PER_US},
    {"ns", 1},
};
#define DURATION_N (sizeof(durations) / sizeof(durations[0]))

static const struct unit sizes[] = {
    {"TiB", INT64_C(1) << 40},
    {"GiB", INT64_C(1) << 30},
    {"MiB", INT64_C(1) << 20},
    {"KiB", INT64_C(1) << 10},
    {"", 1},
};
#define SIZE_N (sizeof(sizes) / sizeof(sizes[0]))

/* Endings of key names that give a bare number its unit. */
static const struct {
	const char *ending;
	const char *unit;
} endings[] = {
    {"_ns", "ns"},
    {"_us", "us"},
    {"_ms", "ms"},
    {"_s", "s"},
    {"_hours", "h"},
};

static void *
field_of(struct cfg *c, const struct cfg_key *k)
{
	return (char *)c + k->offset;
}

static const void *
field_at(const struct cfg *c, const struct cfg_key *k)
{
	return (const char *)c + k->offset;
}

/* The start of a bad value, safe to print. */
static const char *
echo(const char *text, char buf[ECHO_N + 4])
{
	size_t n = strnlen(text, ECHO_N + 1);

	for (size_t i = 0; i < n && i < ECHO_N; i++)
		buf[i] = text[i] < ' ' || text[i] > '~' ? '?' : text[i];
	if (n > ECHO_N)
		memcpy(buf + ECHO_N, "...", 4);
	else
		buf[n] = '\0';
	return buf;
}

static bool
refuse(size_t i, const char *text, const char *what, char why[CFG_WHY_SZ])
{
	char e[ECHO_N + 4];
	char allowed[CFG_WHY_SZ];

	cfg_allowed(i, allowed);
	snprintf(why, CFG_WHY_SZ, "\"%s\" %s; allowed: %.120s", echo(text, e),
	    what, allowed);
	return false;
}

static size_t
number_len(const char *s)
{
	return strspn(s, "-.0123456789");
}

/* A number and a unit; a value that is not whole in ns or bytes is refused. */
static bool
parse_units(const char *s, const struct unit *u, size_t n, const char *bare,
    int64_t *out)
{
	size_t len = number_len(s);
	const char *unit = s + len + strspn(s + len, " ");
	int64_t micro;
	bool zero = false;

	if (!fixed_parse(s, len, 6, false, INT64_MAX, &micro))
		return false;
	zero = micro == 0;
	if (unit[0] == '\0' && bare != NULL)
		unit = bare;
	for (size_t i = 0; i < n; i++) {
		i128_t v;

		if (strcmp(unit, u[i].name) != 0 && !(zero && unit[0] == '\0'))
			continue;
		v = (i128_t)micro * u[i].size;
		if (v % E6 != 0 || v / E6 > INT64_MAX)
			return false;
		*out = (int64_t)(v / E6);
		return true;
	}
	return false;
}

static const char *
bare_unit(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t e = strlen(endings[i].ending);

		if (n > e && strcmp(name + n - e, endings[i].ending) == 0)
			return endings[i].unit;
	}
	return NULL;
}

/* One number of a key, as its type writes it, without looking at the range. */
static bool
parse_number(const struct cfg_key *k, const char *s, int64_t *out)
{
	size_t n = strlen(s);

	switch (k->type) {
	case CFG_INT:
		return fixed_parse(s, n, 0, true, INT64_MAX, out) &&
		       strchr(s, '.') == NULL;
	case CFG_DEC: return fixed_parse(s, n, 8, true, INT64_MAX, out);
	case CFG_USD: return fixed_parse(s, n, 6, true, INT64_MAX, out);
	case CFG_DURATION:
		return parse_units(
		    s, durations, DURATION_N, bare_unit(k->name), out);
	case CFG_BYTES: return parse_units(s, sizes, SIZE_N, "", out);
	case CFG_BOOL:
	case CFG_ENUM:
	case CFG_STR:
	case CFG_URL:
	case CFG_LIST:
	case CFG_TYPE_N: break;
	}
	CHECK(false);
	return false;
}

static void
limits(const struct cfg_key *k, int64_t *lo, int64_t *hi)
{
	CHECK(parse_number(k, k->lo, lo));
	CHECK(parse_number(k, k->hi, hi));
}

/* Lengths of texts and counts of lists. */
static void
counts(const struct cfg_key *k, size_t *lo, size_t *hi)
{
	int64_t v;

	CHECK(fixed_parse(k->hi, strlen(k->hi), 0, false, CFG_STR_SZ, &v));
	*hi = (size_t)v;
	*lo = k->def[0] != '\0'; /* an address that is off by default may be */
	if (k->type == CFG_URL)
		return;
	CHECK(fixed_parse(k->lo, strlen(k->lo), 0, false, CFG_STR_SZ, &v));
	*lo = (size_t)v;
}

/* Place of word in the list "a|b|c", from 1; 0 when it is not there. */
static int32_t
word_index(const char *list, const char *word, size_t len)
{
	int32_t i = 1;

	for (const char *p = list;; i++) {
		size_t n = strcspn(p, "|");

		if (n == len && memcmp(p, word, n) == 0)
			return i;
		if (p[n] == '\0')
			return 0;
		p += n + 1;
	}
}

static bool
word_at(const char *list, int32_t i, const char **word, size_t *len)
{
	for (const char *p = list;; i--) {
		size_t n = strcspn(p, "|");

		if (i == 1) {
			*word = p;
			*len = n;
			return true;
		}
		if (p[n] == '\0')
			return false;
		p += n + 1;
	}
}

static const char *
bad_number(enum cfg_type t)
{
	switch (t) {
	case CFG_INT: return "is not a whole number";
	case CFG_DEC: return "is not a decimal number of at most 8 places";
	case CFG_USD: return "is not an amount of at most 6 places";
	case CFG_DURATION:
		return "is not a duration with a unit (ns us ms s m h)";
	case CFG_BYTES: return "is not a size (KiB MiB GiB TiB)";
	case CFG_BOOL:
	case CFG_ENUM:
	case CFG_STR:
	case CFG_URL:
	case CFG_LIST:
	case CFG_TYPE_N: break;
	}
	CHECK(false);
	return "";
}

static bool
set_number(struct cfg *c, size_t i, const char *text, char why[CFG_WHY_SZ])
{
	const struct cfg_key *k = cfg_key_at(i);
	int64_t lo;
	int64_t hi;
	int64_t v;

	if (!parse_number(k, text, &v))
		return refuse(i, text, bad_number(k->type), why);
	limits(k, &lo, &hi);
	if (v < lo)
		return refuse(i, text, "is too small", why);
	if (v > hi)
		return refuse(i, text, "is too large", why);
	CHECK(k->sz == sizeof(v));
	memcpy(field_of(c, k), &v, sizeof(v));
	return true;
}

static bool
set_bool(struct cfg *c, size_t i, const char *text, char why[CFG_WHY_SZ])
{
	static const char *const words[] = {
	    "false", "true", "no", "yes", "off", "on", "0", "1"};

	for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
		if (strcasecmp(text, words[w]) != 0)
			continue;
		*(bool *)field_of(c, cfg_key_at(i)) = w % 2 == 1;
		return true;
	}
	return refuse(i, text, "is neither true nor false", why);
}

static bool
set_enum(struct cfg *c, size_t i, const char *text, char why[CFG_WHY_SZ])
{
	const struct cfg_key *k = cfg_key_at(i);
	int32_t v = word_index(k->lo, text, strlen(text));

	if (v == 0)
		return refuse(i, text, "is not one of the names", why);
	memcpy(field_of(c, k), &v, sizeof(v));
	return true;
}

static bool
printable(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return false;
	return true;
}

/* scheme://host[:port][/...], scheme from the list. */
static bool
url_ok(const char *s, const char *schemes)
{
	size_t n = strcspn(s, ":");
	const char *host = s + n + 3;
	size_t len;
	int64_t port;

	if (word_index(schemes, s, n) == 0 || strncmp(s + n, "://", 3) != 0 ||
	    strpbrk(s, " \t\"\\") != NULL)
		return false;
	len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?");
	if (len == 0 || len > strlen(host))
		return false;
	host += len;
	if (host[0] != ':')
		return host[0] == '\0' || host[0] == '/' || host[0] == '?';
	host++;
	len = strcspn(host, "/?");
	return memchr(host, '.', len) == NULL &&
	       fixed_parse(host, len, 0, false, 65535, &port) && port > 0;
}

static bool
set_str(struct cfg *c, size_t i, const char *text, char why[CFG_WHY_SZ])
{
	const struct cfg_key *k = cfg_key_at(i);
	struct cfg_str *f = field_of(c, k);
	size_t n = strlen(text);
	size_t lo;
	size_t hi;

	counts(k, &lo, &hi);
	if (n < lo)
		return refuse(i, text, "is too short", why);
	if (n > hi)
		return refuse(i, text, "is too long", why);
	if (!printable(text, n))
		return refuse(i, text, "holds control characters", why);
	if (k->type == CFG_URL && n > 0 && !url_ok(text, k->lo))
		return refuse(i, text, "is not such an address", why);
	memset(f, 0, sizeof(*f));
	memcpy(f->s, text, n);
	return true;
}

static const char *
list_add(struct cfg_list *l, const char *item, size_t n)
{
	if (n == 0)
		return "has an empty item";
	if (n >= CFG_ITEM_SZ)
		return "has an item of more than 95 bytes";
	if (l->n == CFG_LIST_N)
		return "has too many items";
	if (!printable(item, n))
		return "holds control characters";
	for (uint32_t j = 0; j < l->n; j++)
		if (strlen(l->item[j]) == n && memcmp(l->item[j], item, n) == 0)
			return "names an item twice";
	memcpy(l->item[l->n++], item, n);
	return NULL;
}

static bool
refuse_item(size_t i, const char *item, size_t n, char why[CFG_WHY_SZ])
{
	char text[CFG_ITEM_SZ];
	char e[ECHO_N + 4];

	CHECK(n < sizeof(text));
	memcpy(text, item, n);
	text[n] = '\0';
	snprintf(why, CFG_WHY_SZ, "\"%s\" is no such item; each is: %s",
	    echo(text, e), cfg_item_form(i));
	return false;
}

/* What is left of n bytes without the blanks around them. */
static size_t
trim(const char **p, size_t n)
{
	size_t skip = strspn(*p, " ");

	if (skip >= n)
		return 0;
	*p += skip;
	n -= skip;
	while ((*p)[n - 1] == ' ')
		n--;
	return n;
}

/* Commas between; [a, b], as a file has it, is the same as a, b. */
static bool
split_list(size_t i, const char *text, struct cfg_list *l, char why[CFG_WHY_SZ])
{
	const char *p = text;
	size_t left = trim(&p, strlen(text));
	bool open = left > 0 && p[0] == '[';
	bool shut = left > 0 && p[left - 1] == ']';

	memset(l, 0, sizeof(*l));
	if (open != shut || (open && left == 1))
		return refuse(
		    i, text, "has one bracket; write a,b or [a,b]", why);
	if (open) {
		p++;
		left -= 2;
	}
	while (left > 0 && p[strspn(p, " ")] != '\0') {
		size_t n = strcspn(p, ",");
		const char *item = p;
		const char *what;
		size_t len;

		n = n < left ? n : left;
		len = trim(&item, n);
		if (len == 0 && n == left && l->n == 0)
			break; /* [ ] */
		what = list_add(l, item, len);
		if (what != NULL)
			return refuse(i, text, what, why);
		if (!cfg_item_ok(i, item, len))
			return refuse_item(i, item, len, why);
		if (n == left)
			break;
		p += n + 1;
		left -= n + 1;
		if (left == 0)
			return refuse(i, text, "has an empty item", why);
	}
	return true;
}

static bool
set_list(struct cfg *c, size_t i, const char *text, char why[CFG_WHY_SZ])
{
	const struct cfg_key *k = cfg_key_at(i);
	struct cfg_list l;
	size_t lo;
	size_t hi;

	if (!split_list(i, text, &l, why))
		return false;
	counts(k, &lo, &hi);
	if (l.n < lo)
		return refuse(i, text, "has too few items", why);
	if (l.n > hi)
		return refuse(i, text, "has too many items", why);
	memcpy(field_of(c, k), &l, sizeof(l));
	return true;
}

bool
cfg_set(struct cfg *c, size_t i, const char *text, char why[CFG_WHY_SZ])
{
	switch (cfg_key_at(i)->type) {
	case CFG_BOOL: return set_bool(c, i, text, why);
	case CFG_INT:
	case CFG_DEC:
	case CFG_USD:
	case CFG_DURATION:
	case CFG_BYTES: return set_number(c, i, text, why);
	case CFG_ENUM: return set_enum(c, i, text, why);
	case CFG_STR:
	case CFG_URL: return set_str(c, i, text, why);
	case CFG_LIST: return set_list(c, i, text, why);
	case CFG_TYPE_N: break;
	}
	CHECK(false);
	return false;
}

static size_t
format_units(const struct unit *u, size_t n, int64_t v, char *buf, size_t sz)
{
	for (size_t i = 0; i < n; i++) {
		if (v % u[i].size != 0 || (v == 0 && u[i].size > NS_PER_S))
			continue;
		return (size_t)snprintf(
		    buf, sz, "%lld%s", (long long)(v / u[i].size), u[i].name);
	}
	CHECK(false);
	return 0;
}

static size_t
format_number(const struct cfg_key *k, int64_t v, char *buf, size_t sz)
{
	switch (k->type) {
	case CFG_INT: return fixed_format(v, 0, buf);
	case CFG_DEC: return fixed_format(v, 8, buf);
	case CFG_USD: return fixed_format(v, 6, buf);
	case CFG_DURATION:
		return format_units(durations, DURATION_N, v, buf, sz);
	case CFG_BYTES:
		return v == 0 ? fixed_format(0, 0, buf)
			      : format_units(sizes, SIZE_N, v, buf, sz);
	case CFG_BOOL:
	case CFG_ENUM:
	case CFG_STR:
	case CFG_URL:
	case CFG_LIST:
	case CFG_TYPE_N: break;
	}
	CHECK(false);
	return 0;
}

static size_t
format_list(const struct cfg_list *l, char buf[CFG_TEXT_SZ])
{
	size_t len = 0;

	buf[0] = '\0';
	for (uint32_t j = 0; j < l->n; j++)
		len += (size_t)snprintf(buf + len, CFG_TEXT_SZ - len, "%s%s",
		    j > 0 ? ", " : "", l->item[j]);
	return len;
}

size_t
cfg_text(const struct cfg *c, size_t i, char buf[CFG_TEXT_SZ])
{
	const struct cfg_key *k = cfg_key_at(i);
	const void *f = field_at(c, k);
	const char *word;
	int64_t v;
	int32_t e;
	size_t n;

	switch (k->type) {
	case CFG_BOOL:
		return (size_t)snprintf(buf, CFG_TEXT_SZ, "%s",
		    *(const bool *)f ? "true" : "false");
	case CFG_INT:
	case CFG_DEC:
	case CFG_USD:
	case CFG_DURATION:
	case CFG_BYTES:
		memcpy(&v, f, sizeof(v));
		return format_number(k, v, buf, CFG_TEXT_SZ);
	case CFG_ENUM:
		memcpy(&e, f, sizeof(e));
		CHECK(word_at(k->lo, e, &word, &n));
		return (size_t)snprintf(buf, CFG_TEXT_SZ, "%.*s", (int)n, word);
	case CFG_STR:
	case CFG_URL:
		return (size_t)snprintf(
		    buf, CFG_TEXT_SZ, "%s", ((const struct cfg_str *)f)->s);
	case CFG_LIST: return format_list(f, buf);
	case CFG_TYPE_N: break;
	}
	CHECK(false);
	return 0;
}

/* "a|b|c" as "a, b or c". */
static void
format_words(const char *list, char buf[CFG_WHY_SZ])
{
	size_t len = 0;

	for (const char *p = list;;) {
		size_t n = strcspn(p, "|");
		const char *then = "";

		if (p[n] != '\0')
			then = strchr(p + n + 1, '|') == NULL ? " or " : ", ";
		len += (size_t)snprintf(
		    buf + len, CFG_WHY_SZ - len, "%.*s%s", (int)n, p, then);
		CHECK(len < CFG_WHY_SZ);
		if (p[n] == '\0')
			return;
		p += n + 1;
	}
}

void
cfg_allowed(size_t i, char buf[CFG_WHY_SZ])
{
	const struct cfg_key *k = cfg_key_at(i);
	char words[CFG_WHY_SZ];

	switch (k->type) {
	case CFG_BOOL: snprintf(buf, CFG_WHY_SZ, "true or false"); return;
	case CFG_INT:
	case CFG_DEC:
	case CFG_USD:
	case CFG_DURATION:
	case CFG_BYTES:
		snprintf(buf, CFG_WHY_SZ, "%s to %s", k->lo, k->hi);
		return;
	case CFG_ENUM: format_words(k->lo, buf); return;
	case CFG_STR:
		snprintf(buf, CFG_WHY_SZ, "%s to %s characters", k->lo, k->hi);
		return;
	case CFG_URL:
		format_words(k->lo, words);
		snprintf(buf, CFG_WHY_SZ,
		    "%.40s, then ://host, :port and /path if any", words);
		return;
	case CFG_LIST:
		snprintf(buf, CFG_WHY_SZ, "%s to %s items", k->lo, k->hi);
		return;
	case CFG_TYPE_N: break;
	}
	CHECK(false);
}

static bool
text_valid(const struct cfg_key *k, const struct cfg_str *f)
{
	size_t n = strnlen(f->s, CFG_STR_SZ);
	size_t lo;
	size_t hi;

	counts(k, &lo, &hi);
	return n >= lo && n <= hi && n < CFG_STR_SZ && printable(f->s, n) &&
	       (k->type != CFG_URL || n == 0 || url_ok(f->s, k->lo));
}

static bool
list_valid(const struct cfg_key *k, const struct cfg_list *l)
{
	size_t lo;
	size_t hi;

	counts(k, &lo, &hi);
	if (l->n < lo || l->n > hi || l->n > CFG_LIST_N)
		return false;
	for (uint32_t j = 0; j < l->n; j++) {
		size_t n = strnlen(l->item[j], CFG_ITEM_SZ);

		if (n == 0 || n == CFG_ITEM_SZ || !printable(l->item[j], n))
			return false;
	}
	return true;
}

static bool
field_valid(const struct cfg *c, const struct cfg_key *k)
{
	const void *f = field_at(c, k);
	const char *word;
	unsigned char byte;
	int64_t v;
	int64_t lo;
	int64_t hi;
	int32_t e;
	size_t n;

	switch (k->type) {
	case CFG_BOOL: memcpy(&byte, f, sizeof(byte)); return byte <= 1;
	case CFG_INT:
	case CFG_DEC:
	case CFG_USD:
	case CFG_DURATION:
	case CFG_BYTES:
		memcpy(&v, f, sizeof(v));
		limits(k, &lo, &hi);
		return v >= lo && v <= hi;
	case CFG_ENUM:
		memcpy(&e, f, sizeof(e));
		return e > 0 && word_at(k->lo, e, &word, &n);
	case CFG_STR:
	case CFG_URL: return text_valid(k, f);
	case CFG_LIST: return list_valid(k, f);
	case CFG_TYPE_N: break;
	}
	CHECK(false);
	return false;
}

bool
cfg_valid(const struct cfg *c, size_t *bad)
{
	for (size_t i = 0; i < CFG_KEY_N; i++) {
		if (field_valid(c, cfg_key_at(i)))
			continue;
		*bad = i;
		return false;
	}
	return true;
}

bool
cfg_timezone_s(const char *text, int64_t *east_s)
{
	const char *p = text + 3;
	int64_t sign;
	size_t n;
	int64_t hours;
	int64_t minutes = 0;

	if (strncmp(text, "UTC", 3) != 0)
		return false;
	if (p[0] == '\0') {
		*east_s = 0;
		return true;
	}
	if (p[0] != '+' && p[0] != '-')
		return false;
	sign = p[0] == '-' ? -1 : 1;
	p++;
	n = strspn(p, "0123456789");
	if (n > 2 || !fixed_parse(p, n, 0, false, 14, &hours))
		return false;
	p += n;
	if (p[0] == ':') {
		n = strspn(p + 1, "0123456789");
		if (n != 2 || !fixed_parse(p + 1, n, 0, false, 59, &minutes))
			return false;
		p += 3;
	}
	if (p[0] != '\0' || hours * 60 + minutes > 14 * 60)
		return false;
	*east_s = sign * (hours * 3600 + minutes * 60);
	return true;
}
