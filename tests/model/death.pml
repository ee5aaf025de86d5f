/*
 * death.pml - a producer that may die before any of its stores, and the one
 * that takes its place; batches of two with the numbers written last to
 * first; a consumer that may die and start again at its cursor.
 *
 * A message is (index, life). Checked: nothing published is lost, nothing
 * unpublished is delivered, numbers come in order, a new life's messages
 * are never followed by an older one's, the observer sees only what was
 * published, and a batch is visible as a whole or not at all.
 * Stores are taken in program order: the kernel stops a process between two
 * instructions and memory keeps the ones before; their order among cores is
 * the business of publish.pml.
 *
 * Weakened variants (each must fail):
 *   NO_SCRUB      leftovers above the first gap are not cleared
 *   FIRST_TO_LAST the numbers of a batch are written in rising order
 *   NUMBER_FIRST  the number is written before the contents
 *   FROM_HINT     the new producer goes on at the lazily written hint
 *   EARLY_CURSOR  the consumer commits before it has handled the slot
 */
#define DEPTH 4
#define MSGS  5
#define LIVES 3

byte seq[DEPTH];
byte life_of[DEPTH];  /* contents */
byte index_of[DEPTH];
byte cursor;
byte hint;

/* What has been published, for the checks only. */
byte pub_life[10];
byte pub_n;
byte handled; /* by any life of the consumer: all below */
byte last_life;
byte c_deaths;

#define AT(i) ((i) % DEPTH)

/* Any statement of a producer may be its last. */
#define MAY_DIE if :: lives < LIVES -> goto dead :: true -> skip fi

inline fill(i) {
	seq[AT(i)] = 0;
	MAY_DIE;
	atomic { life_of[AT(i)] = lives; index_of[AT(i)] = i }
	MAY_DIE
}

inline publish_one() {
#ifdef NUMBER_FIRST
	atomic { seq[AT(next)] = next + 1; pub_life[next] = lives; pub_n = next + 1 }
	MAY_DIE;
	life_of[AT(next)] = lives;
	index_of[AT(next)] = next;
#else
	fill(next);
	atomic { seq[AT(next)] = next + 1; pub_life[next] = lives; pub_n = next + 1 }
#endif
	next++;
	MAY_DIE
}

inline publish_two() {
	fill(next);
	fill(next + 1);
#ifdef FIRST_TO_LAST
	seq[AT(next)] = next + 1;
	MAY_DIE;
	atomic {
		seq[AT(next + 1)] = next + 2;
		pub_life[next] = lives; pub_life[next + 1] = lives;
		pub_n = next + 2
	}
#else
	seq[AT(next + 1)] = next + 2;
	MAY_DIE;
	atomic {
		seq[AT(next)] = next + 1;
		pub_life[next] = lives; pub_life[next + 1] = lives;
		pub_n = next + 2
	}
#endif
	next = next + 2;
	MAY_DIE
}

proctype producer() {
	byte lives = 1;
	byte next, k;
start:
#ifdef FROM_HINT
	next = hint;
#else
	next = cursor;
	k = 0;
	do
	:: k < DEPTH && seq[AT(next)] == next + 1 -> next++; k++
	:: else -> break
	od;
#endif
	assert(next == pub_n);
#ifndef NO_SCRUB
	k = 0;
	do
	:: k < DEPTH ->
		if
		:: seq[k] > next -> seq[k] = 0
		:: else
		fi;
		MAY_DIE;
		k++
	:: else -> break
	od;
#endif
	hint = next;
	do
	:: next < MSGS && next < cursor + DEPTH -> publish_one()
	:: next + 1 < MSGS && next + 1 < cursor + DEPTH -> publish_two()
	:: next >= MSGS -> break
	od;
	goto finished;
dead:	lives++;
	goto start;
finished:
	skip
}

proctype consumer() {
	byte next, l;
start:	next = cursor;
	do
	:: next == MSGS -> break
	:: next < MSGS && seq[AT(next)] == next + 1 ->
#ifdef EARLY_CURSOR
		cursor = next + 1;
		if
		:: c_deaths < 1 -> c_deaths++; goto start
		:: true
		fi;
#endif
		atomic {
			l = life_of[AT(next)];
			assert(index_of[AT(next)] == next);
			assert(next < pub_n && pub_life[next] == l);
			assert(next <= handled);
			if
			:: next == handled ->
				assert(l >= last_life);
				last_life = l;
				handled++
			:: else
			fi;
			l = 0
		}
		if
		:: c_deaths < 1 -> c_deaths++; goto start
		:: true
		fi;
		next++;
		/* lazily: commit now or later */
		if
		:: cursor = next
		:: next < MSGS && next < cursor + 2
		fi
	od;
	assert(handled == MSGS)
}

proctype observer() {
	byte i, s, l, x;
	do
	:: i < MSGS ->
		s = seq[AT(i)];
		if
		:: s == i + 1 ->
			l = life_of[AT(i)];
			x = index_of[AT(i)];
			atomic {
				if
				:: seq[AT(i)] == s ->
					assert(x == i && i < pub_n);
					assert(pub_life[i] == l)
				:: else
				fi
			}
			i++
		:: s > i + 1 -> i = pub_n
		:: s < i + 1 -> break
		fi
	:: else -> break
	od
}

init {
	atomic {
		run producer();
		run consumer();
		run observer()
	}
}
