/*
 * recorder.h - the recorder as a stage, and the recorder on its own.
 */
#ifndef RECORDERD_RECORDER_H
#define RECORDERD_RECORDER_H

/*
 * recorder_stage - run as a stage of an instance: every tap ring into the
 * journal, finished segments into Parquet, in slices of the same loop.
 * A directory that cannot be written never ends it: records are refused,
 * counted, and declared as gaps when writing works again. What never reached
 * the disk is counted as lost, and makes the exit code EXIT_TEMPORARY.
 * Returns the exit code.
 */
int recorder_stage(int argc, char **argv);

/*
 * recorder_alone - for a person at a terminal: starts feeds and recorder in
 * capture mode through the `supervisor` beside this program, shows a line a
 * second, and stops what it started on Ctrl-C or after --duration. Where the
 * instance runs already, it only watches.
 * Returns the exit code.
 */
int recorder_alone(int argc, char **argv);

#endif
