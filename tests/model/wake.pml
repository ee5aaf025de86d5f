/*
 * wake.pml - falling asleep against publishing without a fence.
 *
 * The producer publishes (into its store buffer), then looks at the flag
 * with a plain load, which may run ahead of the buffered store. The consumer
 * raises the flag (its own store is buffered, too), asks for a barrier on
 * all cores, looks once more, and sleeps on the word. There is no time limit
 * in the model: a lost wake is a deadlock, found as an invalid end state.
 *
 * Weakened variants (each must fail):
 *   NO_BARRIER   the flag is raised without the barrier
 *   NO_RECHECK   no last look at the ring after the flag is up
 *   WORD_LATE    the word is read after the flag was looked at
 */
#define MSGS 3

byte published; /* memory; the ring's sequence word */
bool sleeping;
byte word;

byte p_buf;  /* producer's buffered value of published; 0: none */
bool p_full;
bool c_buf;  /* consumer's buffered flag */
bool c_full;
byte futex_n; /* wakes sent to a sleeper */
bool in_futex;

/* Buffers drain whenever they like. */
proctype memory() {
end:	do
	:: atomic { p_full -> published = p_buf; p_full = false }
	:: atomic { c_full -> sleeping = c_buf; c_full = false }
	od
}

proctype producer() {
	byte i;
	do
	:: i < MSGS ->
		atomic { !p_full -> i++; p_buf = i; p_full = true }
		/* bell_check: a plain load */
		if
		:: sleeping ->
			/* bell_wake: the exchange drains the buffer */
			atomic {
				if
				:: p_full -> published = p_buf; p_full = false
				:: else
				fi;
				if
				:: sleeping -> sleeping = false
				:: else -> goto next
				fi
			}
			word++;
			atomic {
				if
				:: in_futex -> in_futex = false
				:: else
				fi
			}
		:: else
		fi;
next:		skip
	:: else -> break
	od
}

proctype consumer() {
	byte got, w;
	do
	:: got == MSGS -> break
	:: got < MSGS ->
		if
		:: published > got -> got++
		:: else ->
			/* bell_prepare */
			atomic { !c_full -> c_buf = true; c_full = true }
#ifndef NO_BARRIER
			atomic {
				/* membarrier: both cores drain */
				sleeping = c_buf; c_full = false;
				if
				:: p_full -> published = p_buf; p_full = false
				:: else
				fi
			}
#endif
#ifndef NO_RECHECK
			if
			:: published > got ->
				atomic { !c_full -> sleeping = false }
				goto again
			:: else
			fi;
#endif
			/* bell_wait */
#ifdef WORD_LATE
			if
			:: sleeping || c_full -> w = word
			:: else -> goto again
			fi;
#else
			w = word;
			if
			:: sleeping || c_full
			:: else -> goto again
			fi;
#endif
			/* futex: compare and sleep in one step */
			atomic {
				if
				:: word == w -> in_futex = true
				:: else
				fi
			}
			!in_futex;
			atomic { !c_full -> sleeping = false }
again:			skip
		fi
	od
}

init {
	atomic {
		run memory();
		run producer();
		run consumer()
	}
}
