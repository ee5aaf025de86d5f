#include "libcore/rrs.h"

#include <stdbool.h>

#include "libcore/check.h"

/* Where a phrase counts. */
#define IN_Q  1u /* question                                              */
#define IN_R  2u /* rules                                                 */
#define IN_S  4u /* resolution source                                     */
#define IN_T  8u /* tags                                                  */
#define IN_QR (IN_Q | IN_R)
#define IN_RS (IN_R | IN_S)
#define IN_QT (IN_Q | IN_T)

/* Beside the features: what is only noted, or whose absence is one. */
enum note {
	NOTE_DATE = RRS_N,
	NOTE_ZONE,
	NOTE_SOURCE,
	NOTE_AUTHORITY,
	NOTE_LINK,
	NOTE_OR,
	NOTE_OR_EQUAL,
	NOTE_N
};

struct phrase {
	const char *s; /* lower case; a blank stands for any separators;
			  a star at the end for any end of the word */
	unsigned where;
	int what; /* enum rrs_feature or enum note */
};

static const struct phrase phrases[] = {
#define P(text, where, what) {text, where, what},
#include "libcore/rrs_words.def"
#undef P
};

#define PHRASES_N (sizeof(phrases) / sizeof(phrases[0]))

struct found {
	uint32_t n[NOTE_N];
};

static bool
is_word(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

static unsigned char
lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

/* Past an escape of JSON at s[i], which is a backslash. */
static size_t
escape(const char *s, size_t n, size_t i)
{
	size_t step = i + 1 < n && s[i + 1] == 'u' ? 6 : 2;

	return i + step < n ? i + step : n;
}

static size_t
blanks(const char *s, size_t n, size_t i)
{
	while (i < n && !is_word((unsigned char)s[i]))
		i = s[i] == '\\' ? escape(s, n, i) : i + 1;
	return i;
}

static bool
match(const char *p, const char *s, size_t n, size_t i)
{
	while (i < n) {
		if (*p == ' ') {
			size_t to = blanks(s, n, i);

			if (to == i)
				return false;
			i = to;
			p++;
			continue;
		}
		if (*p == '\0' || *p == '*')
			break;
		if (lower((unsigned char)s[i]) != (unsigned char)*p)
			return false;
		i++;
		p++;
	}
	return *p == '*' ||
	       (*p == '\0' && (i >= n || !is_word((unsigned char)s[i])));
}

/* First phrase that begins with each letter or digit: the table is sorted,
 * which a test checks. */
static void
index_build(uint16_t from[256])
{
	size_t at = 0;

	for (unsigned c = 0; c < 256; c++) {
		while (at < PHRASES_N && (unsigned char)phrases[at].s[0] < c)
			at++;
		from[c] = (uint16_t)at;
	}
}

static void
scan(struct found *f, const uint16_t from[256], struct rrs_span t, unsigned in)
{
	size_t n = t.n < RRS_TEXT_MAX ? t.n : RRS_TEXT_MAX;
	size_t i;

	if (t.s == 0)
		return;
	i = blanks(t.s, n, 0);
	while (i < n) {
		unsigned char c = lower((unsigned char)t.s[i]);

		for (size_t k = from[c];
		     k < PHRASES_N && (unsigned char)phrases[k].s[0] == c; k++)
			if ((phrases[k].where & in) != 0 &&
			    match(phrases[k].s, t.s, n, i))
				f->n[phrases[k].what]++;
		while (i < n && is_word((unsigned char)t.s[i]))
			i++;
		i = blanks(t.s, n, i);
	}
}

/* The host that follows "//" at s[i], lower-cased and hashed. */
static uint32_t
host_at(const char *s, size_t n, size_t i)
{
	uint32_t h = 2166136261u;

	if (i + 4 <= n && lower((unsigned char)s[i]) == 'w' && s[i + 3] == '.')
		i += 4;
	while (i < n && (is_word((unsigned char)s[i]) || s[i] == '-' ||
			    (s[i] == '.' && i + 1 < n &&
				is_word((unsigned char)s[i + 1])))) {
		h = (h ^ lower((unsigned char)s[i])) * 16777619u;
		i++;
	}
	return h;
}

/* Links to two hosts or more? *seen carries over from text to text. */
static bool
two_hosts(struct rrs_span t, uint32_t *seen)
{
	size_t n = t.n < RRS_TEXT_MAX ? t.n : RRS_TEXT_MAX;
	bool two = false;

	if (t.s == 0)
		return false;
	for (size_t i = 0; i + 2 < n; i++) {
		uint32_t h;

		if (t.s[i] != ':' || t.s[i + 1] != '/' || t.s[i + 2] != '/')
			continue;
		h = host_at(t.s, n, i + 3);
		two = two || (*seen != 0 && h != *seen);
		*seen = h;
	}
	return two;
}

/* How often a word stands in a text. */
static uint32_t
count(struct rrs_span t, const char *word)
{
	size_t n = t.n < RRS_TEXT_MAX ? t.n : RRS_TEXT_MAX;
	uint32_t hits = 0;

	if (t.s == 0)
		return 0;
	for (size_t i = blanks(t.s, n, 0); i < n; i = blanks(t.s, n, i)) {
		hits += match(word, t.s, n, i);
		while (i < n && is_word((unsigned char)t.s[i]))
			i++;
	}
	return hits;
}

static uint64_t
bit_if(bool yes, enum rrs_feature f)
{
	return yes ? UINT64_C(1) << f : 0;
}

static uint64_t
of_source(const struct rrs_text *t, const struct found *f)
{
	uint32_t host = 0;
	bool in_source = two_hosts(t->source, &host);
	bool in_rules = two_hosts(t->rules, &host);
	bool named = (t->source.s != 0 && t->source.n > 0) ||
		     f->n[NOTE_SOURCE] > 0 || f->n[NOTE_LINK] > 0;

	return bit_if(!named, RRS_NO_SOURCE) |
	       bit_if(in_source || in_rules, RRS_MANY_SOURCES) |
	       bit_if(f->n[NOTE_AUTHORITY] == 0, RRS_UNNAMED_SOURCE);
}

static uint64_t
of_dispute(const struct rrs_text *t)
{
	uint32_t proposed = count(t->uma, "proposed");
	bool settled = count(t->uma, "resolved") > 0;

	return bit_if(proposed > 1, RRS_PROPOSED_AGAIN) |
	       bit_if(proposed > 0 && !settled, RRS_PROPOSED) |
	       bit_if(count(t->uma, "disput*") + count(t->uma, "challeng*") > 0,
		   RRS_DISPUTED);
}

static uint64_t
of_shape(const struct rrs_text *t, const struct found *f)
{
	size_t rules_n = t->rules.s != 0 ? t->rules.n : 0;
	uint32_t ors = f->n[NOTE_OR] - f->n[NOTE_OR_EQUAL];

	return bit_if(ors >= 3, RRS_OR_CLAUSE) |
	       bit_if(f->n[NOTE_DATE] == 0, RRS_NO_DEADLINE) |
	       bit_if(f->n[NOTE_ZONE] == 0, RRS_NO_TIME_ZONE) |
	       bit_if(rules_n < 40, RRS_NO_RULES) |
	       bit_if(rules_n > 2500, RRS_LONG_RULES) |
	       bit_if(t->neg_risk != 0, RRS_NEG_RISK) |
	       bit_if(t->outcomes_n > 3, RRS_MANY_OUTCOMES) |
	       bit_if(t->is_other != 0 || count(t->outcome, "other") > 0,
		   RRS_OTHER_OUTCOME);
}

uint64_t
rrs_features(const struct rrs_text *t)
{
	struct found f = {0};
	uint16_t from[256];
	uint64_t bits = RRS_SEEN;

	CHECK(t != 0);
	CHECK(PHRASES_N < UINT16_MAX);
	index_build(from);
	scan(&f, from, t->question, IN_Q);
	scan(&f, from, t->rules, IN_R);
	scan(&f, from, t->source, IN_S);
	scan(&f, from, t->tags, IN_T);
	for (unsigned i = 1; i < RRS_N; i++)
		if (f.n[i] > 0)
			bits |= UINT64_C(1) << i;
	return bits | of_source(t, &f) | of_dispute(t) | of_shape(t, &f);
}

void
rrs_defaults(double weight[RRS_N])
{
	for (unsigned i = 0; i < RRS_N; i++)
		weight[i] = 0.0;
#define RRS(name, label, bit, w, text) weight[bit] = (w);
#include "libcore/rrs.def"
#undef RRS
}

double
rrs_score(uint64_t bits, const double weight[RRS_N])
{
	double sum = 0.0;

	if ((bits & RRS_SEEN) == 0)
		return 1.0;
	for (unsigned i = 1; i < RRS_N; i++)
		if ((bits >> i & 1) != 0 && weight[i] > 0.0)
			sum += weight[i];
	return sum < 1.0 ? sum : 1.0;
}

static const struct {
	const char *label;
	const char *doc;
} table[RRS_N] = {
#define RRS(name, label, bit, weight, text) [bit] = {#label, text},
#include "libcore/rrs.def"
#undef RRS
};

const char *
rrs_label(unsigned bit)
{
	return bit < RRS_N ? table[bit].label : 0;
}

const char *
rrs_doc(unsigned bit)
{
	return bit < RRS_N ? table[bit].doc : 0;
}
