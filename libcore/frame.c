#include "libcore/frame.h"

#include "libcore/check.h"

struct frame_yes
frame_from_no(struct frame_no a)
{
	CHECK(a.side == SIDE_BID || a.side == SIDE_ASK);
	return (struct frame_yes){frame_yes(a.px), side_opposite(a.side)};
}

struct frame_no
frame_to_no(struct frame_yes a)
{
	CHECK(a.side == SIDE_BID || a.side == SIDE_ASK);
	return (struct frame_no){frame_no(a.px), side_opposite(a.side)};
}

struct frame_yes
frame_own_yes(struct frame_yes taker, enum frame_role role)
{
	CHECK(taker.side == SIDE_BID || taker.side == SIDE_ASK);
	CHECK(role == ROLE_TAKER || role == ROLE_MAKER);
	if (role == ROLE_MAKER)
		taker.side = side_opposite(taker.side);
	return taker;
}

struct frame_yes
frame_own_no(struct frame_no taker, enum frame_role role)
{
	return frame_own_yes(frame_from_no(taker), role);
}
