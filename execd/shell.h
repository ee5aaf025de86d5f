/*
 * shell.h - execd's shell: rings in, reports out, the gate looked at
 * immediately before every step. State is committed before anything is
 * reported (libsys/outbox.h) and before anything is sent.
 *
 * shell_io.c takes events, looks at the gate, commits and reports; live_io.c
 * carries acts to a gateway and events back; main.c says which gateways.
 */
#ifndef EXECD_SHELL_H
#define EXECD_SHELL_H

#include "execd/desk.h"
#include "execd/gateway.h"
#include "libsys/outbox.h"
#include "libsys/stage.h"

struct live;

struct shell {
	struct stage *stage;
	struct stage_ops stage_ops;
	const struct gateway_ops *const *gateway; /* by enum venue */
	const struct desk_ops *ops;
	void *desk;
	struct exec *core; /* its order management                        */
	struct live *live; /* NULL: the desk carries acts out itself      */
	struct outbox box;
	struct core_out out;
	struct exec_stat seen;
	uint64_t freeze_epoch; /* of the words when last looked at         */
	uint64_t lost_ns; /* the lease ran out then, 0: it did not        */
	bool backlog;
	bool is_sweep; /* --sweep: cancel everything, verify, end          */
};

/* shell_main - the program. gateway: of each venue that is traded, NULL else.
 */
int shell_main(
    const struct gateway_ops *const gateway[VENUE_N], int argc, char **argv);

/* shell_flush - records that changed into the store, messages out, both in
 * one commit; without messages the commit is the caller's. */
void shell_flush(struct shell *sh);

/* shell_word - execd's own freeze word. */
enum freeze_word shell_word(const struct stage *s);

#endif
