/*
 * control.h - the paths below /sim/ that every simulated venue answers.
 *
 *   GET    /sim/faults         rules, and how often each fault happened
 *   POST   /sim/faults         a rule (see fault_parse); its number in force
 *   DELETE /sim/faults[/NAME]  rules of that fault, or all
 *   GET    /sim/table          faults there are
 *   GET    /sim/stats          what was sent (sim_server_put_stats)
 *
 * Faults never touch these paths. Pure: yes.
 */
#ifndef SIMVENUE_CONTROL_H
#define SIMVENUE_CONTROL_H

#include "simvenue/fault.h"

#define CONTROL_PREFIX "/sim/"

/* control_is - is the path one of these? */
bool control_is(struct http_text path);

/* control_faults - all of them but /sim/stats; 404 for others. */
void control_faults(struct fault_set *s, const struct sim_request *r,
    uint64_t now_ms, struct sim_answer *a);

#endif
