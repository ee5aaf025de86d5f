/*
 * control_io.h - the control socket: one JSON object a line, both ways.
 *
 * <instance directory>/control, a Unix stream socket, mode 0600 in a
 * directory of mode 0700; a peer with another uid is dropped unheard.
 * A request: {"cmd":"freeze","stages":["all"],"text":"..."}. The answer, when
 * what was asked has happened or cannot happen: {"code":0,"text":"..."}.
 */
#ifndef SUPERVISOR_CONTROL_IO_H
#define SUPERVISOR_CONTROL_IO_H

#include <jansson.h>

#include "supervisor/daemon.h"

#define CONTROL_NAME "control"

/* control_listen - make the socket; an old one is replaced. The fd, or a
 * negative errno. */
int control_listen(const struct instance *in, struct err *e);

/* control_accept - take a waiting client into a free place; NULL when there
 * is none, or it was turned away. */
struct sup_conn *control_accept(struct supd *d);

/* control_read - bytes have come, or the client went away. */
void control_read(struct supd *d, struct sup_conn *c);

/* control_answer - send the answer (steals the reference) and hang up. */
void control_answer(struct supd *d, struct sup_conn *c, json_t *answer);

/* control_drop - hang up. */
void control_drop(struct supd *d, struct sup_conn *c);

/* control_ask - client: send a request (steals it), wait limit_s for the
 * answer (0: as long as it takes). NULL with the sentence in e: nobody
 * answers. */
json_t *control_ask(const struct instance *in, json_t *request,
    unsigned limit_s, struct err *e);

/* control_alive - does a supervisor hold this instance? */
bool control_alive(const struct instance *in);

#endif
