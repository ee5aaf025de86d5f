/* Texts that we send on the market channel. */
#include "libcore/check.h"
#include "libvenue/polymarket.h"
#include "libvenue/text.h"

size_t
pm_encode_subscription(enum pm_sub op, const struct pm_token *tokens, size_t n,
    char *buf, size_t cap)
{
	struct text t;
	char id[PM_TOKEN_TEXT_MAX];

	CHECK(op == PM_SUB_FIRST || op == PM_SUB_ADD || op == PM_SUB_REMOVE);
	CHECK(tokens != NULL || n == 0);
	text_init(&t, buf, cap);
	text_lit(&t, "{\"assets_ids\":[");
	for (size_t i = 0; i < n; i++) {
		size_t len = pm_token_format(&tokens[i], id);

		text_lit(&t, i == 0 ? "\"" : ",\"");
		text_put(&t, id, len);
		text_lit(&t, "\"");
	}
	if (op == PM_SUB_FIRST)
		text_lit(&t, "],\"type\":\"market\"");
	else if (op == PM_SUB_ADD)
		text_lit(&t, "],\"operation\":\"subscribe\"");
	else
		text_lit(&t, "],\"operation\":\"unsubscribe\"");
	if (op != PM_SUB_REMOVE)
		text_lit(&t, ",\"custom_feature_enabled\":true");
	text_lit(&t, "}");
	return text_end(&t);
}
