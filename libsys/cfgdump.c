/* A loaded configuration as a table, as JSON, and the way to another one. */
#define _GNU_SOURCE
#include <string.h>

#include "libcore/check.h"
#include "libsys/cfgfile.h"
#include "libsys/log.h"

const char *
cfgfile_origin(
    const struct cfg_load *l, size_t key, char buf[CFGFILE_ORIGIN_SZ])
{
	const struct cfg_origin *o = &l->origin[key];
	char env[CFGFILE_ENV_SZ];

	CHECK(key < CFG_KEY_N);
	switch (o->from) {
	case CFG_FROM_DEFAULT:
		snprintf(buf, CFGFILE_ORIGIN_SZ, "default");
		return buf;
	case CFG_FROM_FILE:
		CHECK(o->file_idx < l->path_n);
		snprintf(buf, CFGFILE_ORIGIN_SZ, "%s:%u:%u",
		    l->path[o->file_idx], o->line, o->column);
		return buf;
	case CFG_FROM_ENV:
		snprintf(buf, CFGFILE_ORIGIN_SZ, "env %s",
		    o->paper_mode ? "PAPER_MODE" : cfgfile_env_name(key, env));
		return buf;
	case CFG_FROM_ARG:
		snprintf(buf, CFGFILE_ORIGIN_SZ, "command line");
		return buf;
	case CFG_FROM_N: break;
	}
	CHECK(false);
	return buf;
}

static void
dump_doc(size_t i, FILE *to)
{
	const struct cfg_key *k = cfg_key_at(i);
	char allowed[CFG_WHY_SZ];

	cfg_allowed(i, allowed);
	fprintf(to, "\n# %s\n# %s, %s; %s\n", k->doc, cfg_type_name(k->type),
	    allowed, cfg_apply_name(k->apply));
}

void
cfgfile_dump_text(const struct cfg_load *l, bool doc, FILE *to)
{
	char text[CFG_TEXT_SZ];
	char origin[CFGFILE_ORIGIN_SZ];
	char name[CFGFILE_ENV_SZ];

	for (size_t i = 0; i < CFG_KEY_N; i++) {
		const struct cfg_key *k = cfg_key_at(i);

		if (doc)
			dump_doc(i, to);
		cfg_text(&l->cfg, i, text);
		snprintf(name, sizeof(name), "%s.%s", k->group, k->name);
		fprintf(to, "%-36s %-24s %s\n", name,
		    text[0] != '\0' ? text : "\"\"",
		    cfgfile_origin(l, i, origin));
	}
}

static void
json_pair(const char *name, const char *text, FILE *to)
{
	char buf[CFG_TEXT_SZ * 2];

	log_escape(buf, sizeof(buf), text, strlen(text));
	fprintf(to, "\"%s\":\"%s\"", name, buf);
}

void
cfgfile_dump_json(const struct cfg_load *l, FILE *to)
{
	char text[CFG_TEXT_SZ];
	char origin[CFGFILE_ORIGIN_SZ];
	char name[CFGFILE_ENV_SZ];

	fprintf(to, "{\"keys\":[");
	for (size_t i = 0; i < CFG_KEY_N; i++) {
		const struct cfg_key *k = cfg_key_at(i);

		cfg_text(&l->cfg, i, text);
		fprintf(to, "%s{", i > 0 ? "," : "");
		snprintf(name, sizeof(name), "%s.%s", k->group, k->name);
		json_pair("key", name, to);
		fputc(',', to);
		json_pair("value", text, to);
		fputc(',', to);
		json_pair("default", k->def, to);
		fputc(',', to);
		json_pair("origin", cfgfile_origin(l, i, origin), to);
		fputc(',', to);
		json_pair("type", cfg_type_name(k->type), to);
		fputc(',', to);
		json_pair("apply", cfg_apply_name(k->apply), to);
		fputc(',', to);
		json_pair("env", cfgfile_env_name(i, name), to);
		fputc(',', to);
		json_pair("doc", k->doc, to);
		fputc('}', to);
	}
	fprintf(to, "]}\n");
}

size_t
cfgfile_diff(
    const struct cfg *from, const struct cfg *to, size_t *restart_n, FILE *out)
{
	uint16_t key[CFG_KEY_N];
	char a[CFG_TEXT_SZ];
	char b[CFG_TEXT_SZ];
	size_t n = cfg_diff(from, to, key, restart_n);

	for (size_t i = 0; i < n; i++) {
		const struct cfg_key *k = cfg_key_at(key[i]);

		cfg_text(from, key[i], a);
		cfg_text(to, key[i], b);
		fprintf(out, "%s.%s: %s -> %s (%s)\n", k->group, k->name, a, b,
		    cfg_apply_name(k->apply));
	}
	return n;
}
