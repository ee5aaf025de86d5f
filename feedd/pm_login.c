#include "feedd/pm_login.h"

#include <string.h>

#include "libcore/json.h"

static bool
take(struct json *j, char out[PM_LOGIN_SZ])
{
	struct json_str text;

	if (!json_string(j, &text) || text.n == 0 || text.n >= PM_LOGIN_SZ)
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (text.s[i] <= ' ' || text.s[i] > '~' || text.s[i] == '\\')
			return false;
	memcpy(out, text.s, text.n);
	out[text.n] = '\0';
	return true;
}

static bool
parse(struct pm_login *l, const char *text, size_t n)
{
	struct json j;
	struct json_str key;
	bool ok = true;

	json_init(&j, text, n);
	if (!json_object(&j))
		return false;
	while (ok && json_key(&j, &key)) {
		if (json_is(key, "apiKey"))
			ok = take(&j, l->key);
		else if (json_is(key, "secret"))
			ok = take(&j, l->secret);
		else if (json_is(key, "passphrase"))
			ok = take(&j, l->passphrase);
		else
			json_skip(&j);
	}
	return ok && json_end(&j) && l->key[0] != '\0' &&
	       l->secret[0] != '\0' && l->passphrase[0] != '\0';
}

bool
pm_login_parse(struct pm_login *l, const char *text, size_t n)
{
	memset(l, 0, sizeof(*l));
	if (parse(l, text, n))
		return true;
	memset(l, 0, sizeof(*l));
	return false;
}
