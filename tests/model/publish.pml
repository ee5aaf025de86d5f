/*
 * publish.pml - publish and consume over a memory that reorders stores.
 *
 * A ring of two slots, MSGS messages. Each side's stores go into a buffer
 * from which they reach memory in any order that respects: same word in
 * order; a release store after everything before it. Loads look into the
 * own buffer first. The observer takes no part and may be overtaken.
 *
 * Checked: the consumer reads exactly the values published, in order; the
 * observer never accepts a slot whose contents do not belong to its number.
 *
 * Weakened variants (each must fail):
 *   WEAK_PUBLISH  the sequence word is a plain store
 *   WEAK_CURSOR   the cursor is a plain store that can overtake the read of
 *                 the slot (the read is done late)
 *   NO_MARK       slots are not marked unfinished before they are filled
 *   WEAK_MARK     the mark is not ordered before the contents
 */
#define DEPTH 2
#define MSGS  4
#define BUF   6

/* memory words: 0,1 sequence; 2,3 first half; 4,5 second half; 6 cursor */
#define SEQ(i)  ((i) % DEPTH)
#define LO(i)   (2 + (i) % DEPTH)
#define HI(i)   (4 + (i) % DEPTH)
#define CURSOR  6
#define WORDS   7

byte mem[WORDS];

/* The producer's store buffer, oldest first, and what holds a store back. */
#define PLAIN   0 /* older stores to the same word                        */
#define RELEASE 1 /* all older stores                                     */
#define FENCED  2 /* all stores older than the fence before it            */
byte addr[BUF];
byte val[BUF];
byte kind[BUF];
byte n;

inline store(a, v, r) {
	atomic {
		n < BUF;
		addr[n] = a; val[n] = v; kind[n] = r; n++
	}
}

/* Any store drains that nothing older holds back. */
proctype memory() {
	byte k, j;
	bool ok;
end:	do
	:: atomic {
		n > 0;
		k = 0;
		do
		:: k + 1 < n -> k++
		:: break
		od;
		ok = true;
		j = 0;
		do
		:: j < k ->
			if
			:: addr[j] == addr[k] || kind[k] == RELEASE ||
			   (kind[k] == FENCED && kind[j] != FENCED) ->
				ok = false
			:: else
			fi;
			j++
		:: else -> break
		od;
		if
		:: ok ->
			mem[addr[k]] = val[k];
			j = k;
			do
			:: j + 1 < n ->
				addr[j] = addr[j + 1];
				val[j] = val[j + 1];
				kind[j] = kind[j + 1];
				j++
			:: else -> break
			od;
			n--;
			addr[n] = 0; val[n] = 0; kind[n] = 0
		:: else
		fi;
		k = 0; j = 0; ok = false
	}
	od
}

#ifdef WEAK_PUBLISH
#define PUB PLAIN
#else
#define PUB RELEASE
#endif
#ifdef WEAK_MARK
#define FILL PLAIN
#else
#define FILL FENCED
#endif

proctype producer() {
	byte i;
	do
	:: i < MSGS ->
		(mem[CURSOR] + DEPTH > i); /* acquire: nothing moves above */
#ifndef NO_MARK
		store(SEQ(i), 0, PLAIN);
#endif
		store(LO(i), i + 10, FILL);
		store(HI(i), i + 10, FILL);
		store(SEQ(i), i + 1, PUB);
		i++
	:: else -> break
	od
}

proctype consumer() {
	byte i, lo, hi;
	do
	:: i < MSGS ->
		(mem[SEQ(i)] == i + 1);
#ifdef WEAK_CURSOR
		mem[CURSOR] = i + 1;
		lo = mem[LO(i)];
		hi = mem[HI(i)];
#else
		lo = mem[LO(i)];
		hi = mem[HI(i)];
		mem[CURSOR] = i + 1;
#endif
		assert(lo == i + 10 && hi == i + 10);
		i++
	:: else -> break
	od
}

proctype observer() {
	byte i, s, lo, hi;
	do
	:: i < MSGS ->
		s = mem[SEQ(i)];
		if
		:: s == i + 1 ->
			lo = mem[LO(i)];
			hi = mem[HI(i)];
			if
			:: mem[SEQ(i)] == s ->
				assert(lo == i + 10 && hi == i + 10)
			:: else
			fi;
			i++
		:: s > i + 1 -> i++ /* overrun */
		:: s < i + 1 ->
			if
			:: true -> skip
			:: true -> break
			fi
		fi
	:: else -> break
	od
}

init {
	atomic {
		run memory();
		run producer();
		run consumer();
		run observer()
	}
}
